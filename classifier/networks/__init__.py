"""The networks: their architectures, how photos become their input, their weights and the maps of where they looked."""
