"""The page on which a person labels the images that the model was not sure of. Imports only ``core``."""
