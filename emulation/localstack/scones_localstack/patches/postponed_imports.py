"""Postpones the import of modules that our stacks do not use.

LocalStack 4.14 imports them with its services, although it needs each for one kind of resource alone: ``moto.batch``,
and with it ``moto.ec2`` with the regions and instance types of AWS, for tasks of AWS Batch; the API of EC2 for the
``Fn::GetAZs`` of a template; the translator of the Serverless Application Model for a template that uses it. Together
they take 0.8 CPU seconds of a start.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

_TASKS = "localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service"
MODULES = {
    f"{_TASKS}.state_task_service_batch": ("StateTaskServiceBatch",),
    "localstack.aws.api.ec2": ("AvailabilityZoneList", "DescribeAvailabilityZonesResult"),
    "samtranslator.translator.transform": ("transform",),
}
"""The callables by module that are imported by name; any other attribute of a module imports it at once."""


def install() -> None:
    """Replace each module that has not been imported yet by one that imports it on first use."""
    for name, callables in MODULES.items():
        if name not in sys.modules:
            sys.modules[name] = _Postponed(name, callables)


class _Postponed(ModuleType):
    """A placeholder for a module, which is imported when one of its callables is called."""

    def __init__(self, name: str, callables: tuple[str, ...]) -> None:
        super().__init__(name)
        for each in callables:
            setattr(self, each, self._calling(each))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what the import system looks for in any module
            raise AttributeError(name)
        return getattr(self._imported(), name)

    def _calling(self, name: str) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            return getattr(self._imported(), name)(*values, **named)

        return call

    def _imported(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return importlib.import_module(self.__name__)
