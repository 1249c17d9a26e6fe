"""Which instance types have local NVMe storage, which is encrypted by the hardware and refuses a key of one's own.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
"""

import re

# Families with a d behind the generation, such as m5d, and those of accelerators, all of which have NVMe but P3 and P2.
_LOCAL_STORAGE = re.compile(r"ml\.([a-z]\d+[a-z]*d[a-z]*|g[4-9][a-z]*|gr\d+|p[4-9][a-z]*|trn\d+[a-z]*|inf2)\.")


def has_local_storage(instance_type: str) -> bool:
    """Tell whether SageMaker refuses a KMS key for the volume of this instance type."""
    return _LOCAL_STORAGE.match(instance_type) is not None
