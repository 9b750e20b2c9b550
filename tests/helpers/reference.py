"""What transformers' own models give for a clip: the numbers that every encoder is held against."""

import torch

from xlser.models.checkpoint_folder import quiet


def by_transformers(folder, wave):
    """Return all hidden states of a clip (S,) alone, (T, D) each, by transformers in float32."""
    from transformers import AutoFeatureExtractor, AutoModel

    with quiet(), torch.random.fork_rng(devices=[]):  # without a decoder it makes one up
        model = AutoModel.from_pretrained(folder, dtype=torch.float32).eval()
    given = AutoFeatureExtractor.from_pretrained(folder)(wave.numpy(), sampling_rate=16_000, return_tensors="pt")
    valid = given["attention_mask"].sum() if "attention_mask" in given else None
    model = model.encoder if model.config.is_encoder_decoder else model
    with torch.no_grad():
        output = model(**given, output_hidden_states=True)
    return [state[0, :valid] for state in (*output.hidden_states[:-1], output.last_hidden_state)]
