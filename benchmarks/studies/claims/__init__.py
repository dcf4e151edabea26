"""What the TensorFlow performance guide of 2017 claims: each claim an experiment, measured in pairs on this machine."""
