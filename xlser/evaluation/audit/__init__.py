"""What is in a corpus before anything is learnt from it: numbers in, numbers out, for `xlser.experiment.audit`."""
