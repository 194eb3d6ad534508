"""The archive: photos with a checked label each, where they come from, and the datasets made of them."""
