"""Models: modules that map features to a latent space and back. They know no loss and no file."""

from xlser.models.autoencoder import Autoencoder
from xlser.models.vae import EmotionHead, VariationalAutoencoder

__all__ = ["Autoencoder", "EmotionHead", "VariationalAutoencoder"]
