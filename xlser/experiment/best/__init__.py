"""The best model for a target that can be had from given sources, chosen without a label of the target."""
