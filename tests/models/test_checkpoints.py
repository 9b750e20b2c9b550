"""Checkpoints by name: what is read, what is refused, and that nothing is filled with random numbers."""

import json
import resource
import shutil

import huggingface_hub
import pytest
import torch
from huggingface_hub import errors
from safetensors.torch import load_file, save_file

from xlser.errors import RecipeError, RunError, XlserError
from xlser.models.checkpoint_folder import quiet
from xlser.models.checkpoints import RANDOM, load_encoder
from xlser.models.encoder import pad_frames


@pytest.fixture(scope="session")
def _sound(make_checkpoint):
    return make_checkpoint()


@pytest.fixture
def folder(_sound, tmp_path):
    """A sound checkpoint of the layer norm family that a test may damage."""
    return shutil.copytree(_sound, tmp_path / "checkpoint")


def change(path, **values):
    """Change keys of a JSON file; None takes a key away."""
    whole = json.loads(path.read_text()) | values
    path.write_text(json.dumps({key: value for key, value in whole.items() if value is not None}))


def rewritten(folder, change):
    """Rewrite the weights by a function of their dict."""
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", {"format": "pt"})


def same(one, other):
    one, other = one.state_dict(), other.state_dict()
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("name", ["random:tiny", "random:tiny-group"])
def test_random_weights_come_from_the_seed_alone(name):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    one = load_encoder(name, seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert same(one, load_encoder(name, seed=4))
    assert not same(one, load_encoder(name, seed=5))
    assert one.about == {"name": name, "model_type": "wav2vec2", "seed": 4}
    assert (one.layers, one.width, one.front_width, one.shortest, one.rate) == (2, 32, 32, 400, 16_000)
    assert one.front(torch.zeros(16_000)).shape == (49, 32)


def test_the_base_model_has_the_shapes_of_wav2vec2_base(monkeypatch):
    assert RANDOM["random:base"] == {}
    monkeypatch.setitem(RANDOM, "random:base", {"num_hidden_layers": 1, "intermediate_size": 8})
    base = load_encoder("random:base")
    assert (base.width, base.front_width, base.layerdrop) == (768, 512, 0.1)


def test_dropout_replaces_every_dropout(make_checkpoint):
    for family in ("wav2vec2, group norm", "wavlm, layer norm", "w2v-bert, relative"):
        encoder = load_encoder(str(make_checkpoint(family)), dropout=0.25)
        rates = {part.p for part in encoder.modules() if isinstance(part, torch.nn.Dropout)}
        attention = {part.dropout for part in encoder.modules() if isinstance(getattr(part, "dropout", None), float)}
        assert rates | attention == {0.25}
        assert encoder.layerdrop == 0.25


@pytest.mark.parametrize("dropout", [-0.1, 1.5])
def test_an_impossible_dropout_is_refused(dropout):
    with pytest.raises(RecipeError, match=f"`dropout` must be from 0 to 1, but is {dropout}"):
        load_encoder("random:tiny", dropout=dropout)


def test_a_folder_is_known_by_its_weights_and_not_by_its_place(folder, tmp_path):
    one = load_encoder(str(folder))
    other = load_encoder(str(shutil.copytree(folder, tmp_path / "moved")))
    assert one.about["sha256"] == other.about["sha256"]
    assert one.about["model_type"] == "wav2vec2"
    rewritten(folder, lambda tensors: {name: tensor + 1 for name, tensor in tensors.items()})
    assert load_encoder(str(folder)).about["sha256"] != one.about["sha256"]


def test_a_checkpoint_with_a_head_gives_its_encoder(make_checkpoint):
    folder = make_checkpoint(head="ForCTC")
    tensors = load_file(folder / "model.safetensors")
    assert "lm_head.weight" in tensors
    encoder = load_encoder(str(folder))
    assert torch.equal(
        encoder.model.feature_projection.projection.weight, tensors["wav2vec2.feature_projection.projection.weight"]
    )


def test_shards_are_read_as_one(folder):
    whole = load_encoder(str(folder))
    with quiet():
        whole.model.save_pretrained(folder, max_shard_size="20KB")
    (folder / "model.safetensors").unlink(missing_ok=True)
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    assert same(load_encoder(str(folder)), whole)
    sorted(folder.glob("model-*.safetensors"))[1].unlink()
    with pytest.raises(RunError, match=r"model-00002.*must be there, because model.safetensors.index.json names it"):
        load_encoder(str(folder))


def old_names(tensors):
    old = {"original0": "weight_g", "original1": "weight_v"}
    return {
        name.replace(f"parametrizations.weight.{new}", old[new])
        if (new := name.rpartition(".")[2]) in old
        else name: tensor
        for name, tensor in tensors.items()
    }


def test_weight_norms_of_old_checkpoints_are_read(folder):
    before = load_encoder(str(folder))
    rewritten(folder, old_names)
    assert "encoder.pos_conv_embed.conv.weight_g" in load_file(folder / "model.safetensors")
    assert same(load_encoder(str(folder)), before)


def test_half_precision_weights_are_widened(folder):
    rewritten(folder, lambda tensors: {name: tensor.half() for name, tensor in tensors.items()})
    change(folder / "config.json", dtype="float16")
    assert {tensor.dtype for tensor in load_encoder(str(folder)).parameters()} == {torch.float32}


def test_the_optional_adapter_is_left_out(make_checkpoint):
    encoder = load_encoder(str(make_checkpoint(add_adapter=True)))
    assert encoder.model.adapter is None
    assert not encoder.model.config.add_adapter


def test_a_missing_mask_vector_is_zero_and_draws_nothing(folder):
    rewritten(folder, lambda tensors: {k: v for k, v in tensors.items() if k != "masked_spec_embed"})
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert not load_encoder(str(folder)).model.masked_spec_embed.any()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("family", "normalised"),
    [
        ("wav2vec2, group norm", True),
        ("wavlm, group norm", False),
        ("wavlm, layer norm", True),
        ("unispeech-sat", False),
        ("data2vec", True),
    ],
)
def test_without_a_preprocessor_the_family_says_whether_waveforms_are_normalised(make_checkpoint, family, normalised):
    folder = make_checkpoint(family)
    (folder / "preprocessor_config.json").unlink()
    assert load_encoder(str(folder)).identity()["normalise"] == normalised


def test_a_filter_bank_without_a_preprocessor_is_the_published_one(make_checkpoint):
    folder = make_checkpoint("w2v-bert, relative")
    before = load_encoder(str(folder)).identity()
    (folder / "preprocessor_config.json").unlink()
    assert load_encoder(str(folder)).identity() == before


@pytest.mark.parametrize("normalised", [True, False])
def test_the_preprocessor_may_be_part_of_a_processor(folder, normalised):
    change(folder / "preprocessor_config.json", do_normalize=normalised)
    options = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").write_text(json.dumps({"feature_extractor": options}))
    assert load_encoder(str(folder)).identity()["normalise"] is normalised


def without_weights(folder):
    (folder / "model.safetensors").unlink()


def pickled(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def truncated(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-400])


def pointer(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def no_index(folder):
    without_weights(folder)
    (folder / "model.safetensors.index.json").write_text("{}")


def one_short(folder):
    rewritten(folder, lambda tensors: {k: v for k, v in tensors.items() if k != "encoder.layer_norm.bias"})


def other_names(folder):
    rewritten(folder, lambda tensors: {f"student_{name}": tensor for name, tensor in tensors.items()})


def no_config(folder):
    (folder / "config.json").unlink()


def cut_config(folder):
    (folder / "config.json").write_text((folder / "config.json").read_text()[:-40])


DAMAGE = {
    "no weights": (without_weights, RunError, r"checkpoint .* must hold weights .* refs/pr/1"),
    "pickled": (pickled, RunError, r"but holds only pytorch_model.bin, which can run code .*save_pretrained\(NEW\)"),
    "truncated": (truncated, RunError, r"model.safetensors cannot be read: .* Fetch the checkpoint anew"),
    "pointer": (pointer, RunError, r"holds the pointer of Git LFS in place of weights.*git lfs pull"),
    "empty index": (no_index, RunError, r"must hold weights"),
    "one weight short": (one_short, RunError, r"1 of \d+ are missing, such as encoder.layer_norm.bias"),
    "other names": (other_names, RunError, r"not all there: \d\d of \d+ are missing"),
    "no config": (no_config, RunError, r"must hold config.json and model.safetensors, but holds model.safetensors"),
    "cut config": (cut_config, RunError, r"config.json cannot be read: .* Fetch the checkpoint anew"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_refused_with_the_reason_and_the_way_out(folder, damage):
    spoil, kind, told = DAMAGE[damage]
    spoil(folder)
    with pytest.raises(kind, match=f"(?s){told}") as error:
        load_encoder(str(folder))
    assert str(folder) in str(error.value)


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        ({"model_type": "bert"}, RecipeError, "one of the families data2vec-audio, .* but its config.json says 'bert'"),
        ({"model_type": None}, RunError, "must name a `model_type`, .* but has None"),
        ({"hidden_size": 32}, RunError, "the weights that config.json asks for .*one and the same checkpoint"),
        ({"num_hidden_layers": 4}, RunError, r"\d+ of \d+ are missing, such as encoder.layers.3"),
        ({"hidden_size": "wide"}, RunError, "must give `hidden_size` as a whole number of at least 1, but has 'wide'"),
        ({"intermediate_size": "wide"}, RunError, "must give `intermediate_size` as a whole number from 1"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(folder, values, kind, told):
    change(folder / "config.json", **values)
    with pytest.raises(kind, match=f"(?s){told}"):
        load_encoder(str(folder))


HOSTILE = {
    "no layers": {"num_hidden_layers": 0},
    "fewer layers than the weights have": {"num_hidden_layers": 1},
    "endless layers": {"num_hidden_layers": 10**6},
    "more layers than numbers": {"num_hidden_layers": 10**9},
    "an absurd width": {"hidden_size": 10**6, "num_attention_heads": 1, "num_conv_pos_embedding_groups": 1},
    "an absurd convolution": {"num_conv_pos_embeddings": 10**6},
    "endless convolutions": {"conv_dim": [32] * 10**5, "conv_kernel": [3] * 10**5, "conv_stride": [2] * 10**5},
    "negative heads": {"num_attention_heads": -2},
    "true for a number": {"intermediate_size": True},
    "infinity": {"layer_norm_eps": 1e400},
    "a list for a text": {"hidden_act": ["gelu"]},
    "an unknown activation": {"hidden_act": "os.system"},
    "a table for a list": {"conv_stride": {"0": 1}},
    "quantised": {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_config_is_refused_before_anything_is_built(folder, what):
    values = HOSTILE[what]
    change(folder / "config.json", **values)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(XlserError, match=r"config\.json") as error:
        load_encoder(str(folder))
    # What is no JSON is named by its value.
    assert any(key in str(error.value) for key in [*values, "weights", "Infinity", str(*list(values.values())[:1])])
    assert len(str(error.value)) < 2000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20  # kilobytes: no weight was made


@pytest.mark.parametrize(
    "values",
    [
        {"_attn_implementation": "someone/kernels"},
        {"attn_implementation": "someone/kernels:flash"},
        {"_attn_implementation_internal": "flex_attention"},
        {"auto_map": {"AutoConfig": "someone/repo--code.Config", "AutoModel": "code.Model"}},
        {"_name_or_path": "../../elsewhere", "trust_remote_code": True, "use_kernels": True},
        {"torch_dtype": "float8_e4m3fn", "dtype": {"a": 1}},
        {"output_attentions": True, "return_dict": False, "output_hidden_states": True},
        {"num_labels": 10**7, "id2label": "x", "problem_type": 5},
    ],
)
def test_what_names_code_or_says_how_to_compute_is_not_the_configs_to_say(folder, values):
    (folder / "code.py").write_text("raise SystemExit('code of a checkpoint ran')")
    sound = load_encoder(str(folder)).eval()
    change(folder / "config.json", **values)
    encoder = load_encoder(str(folder)).eval()
    assert encoder.model.config._attn_implementation in ("eager", "sdpa")
    wave = torch.linspace(-1, 1, 4000)
    frames = [pad_frames([one.front(wave)]) for one in (sound, encoder)]
    assert torch.equal(sound(*frames[0])[-1], encoder(*frames[1])[-1])
    assert sound.identity(2) == encoder.identity(2)


@pytest.mark.parametrize("values", [{"do_normalize": "no"}, {"feature_size": 10**9}, {"padding_value": "x"}])
def test_a_hostile_preprocessor_is_refused(folder, values):
    change(folder / "preprocessor_config.json", **values)
    with pytest.raises(RunError, match=rf"preprocessor_config.json must give `{next(iter(values))}`"):
        load_encoder(str(folder))


@pytest.mark.parametrize("layers", [-1, 0, 1, 10**9, "2", True, [2], 2.0, {}])
def test_whispers_encoder_has_the_layers_of_its_weights_under_either_name(layers, make_checkpoint, tmp_path):
    folder = shutil.copytree(make_checkpoint("whisper"), tmp_path / "checkpoint")
    for key in ("encoder_layers", "num_hidden_layers"):
        shutil.copy(make_checkpoint("whisper") / "config.json", folder)
        change(folder / "config.json", **{key: layers})
        with pytest.raises(RunError, match=r"config\.json"):
            load_encoder(str(folder))


def test_an_index_that_leads_elsewhere_is_refused(folder):
    (folder / "model.safetensors").rename(folder.parent / "x.safetensors")
    for name in ("../x.safetensors", 5, None, ["x"]):
        index = {"weight_map": {"feature_projection.projection.weight": name}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        with pytest.raises(RunError, match="must name files beside it"):
            load_encoder(str(folder))


def test_another_sample_rate_is_refused(folder):
    change(folder / "preprocessor_config.json", sampling_rate=8_000)
    with pytest.raises(RecipeError, match=r"must take speech at 16000 Hz, .* says 8000 Hz"):
        load_encoder(str(folder))


def test_a_filter_bank_of_another_width_is_refused(make_checkpoint):
    folder = make_checkpoint("w2v-bert, relative")
    change(folder / "preprocessor_config.json", num_mel_bins=40)
    with pytest.raises(RunError, match=r"filter bank of 160 columns, .* gives 40 bins in groups of 2"):
        load_encoder(str(folder))


def test_a_file_in_place_of_a_folder_is_refused(folder):
    with pytest.raises(RecipeError, match=r"must be a folder, but is a file. Give the folder it is in: .*checkpoint$"):
        load_encoder(str(folder / "model.safetensors"))


@pytest.mark.parametrize("name", ["/no/such/folder", "./best", "a/b/c", "~/best", "", "owner/", "a b/c", "C:\\best"])
def test_what_is_neither_folder_nor_hub_name_is_refused_without_asking_the_hub(name, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    with pytest.raises(RecipeError, match="is neither a folder that exists nor the name of a hub model"):
        load_encoder(name)


def test_a_mistyped_random_name_is_told_the_nearest():
    with pytest.raises(RecipeError, match=r"unknown checkpoint 'random:tinny': did you mean 'random:tiny'\?"):
        load_encoder("random:tinny")


def test_a_revision_of_what_is_not_on_the_hub_is_refused(folder):
    for name in ("random:tiny", str(folder)):
        with pytest.raises(RecipeError, match="`revision` belongs to a hub model"):
            load_encoder(name, revision="main")


@pytest.fixture
def hub(monkeypatch):
    """Return a function: the hub answers with a folder or an error; what it was asked is returned."""
    asked = []

    def answer(found):
        def snapshot_download(name, **options):
            asked.append((name, options))
            if isinstance(found, Exception):
                raise found
            return str(found)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
        return asked

    return answer


def test_a_hub_model_is_known_by_its_commit_and_nothing_pickled_is_fetched(hub, folder):
    commit = "f" * 40
    asked = hub(folder.rename(folder.with_name(commit)))
    encoder = load_encoder("owner/model", revision="refs/pr/3")
    assert encoder.about == {"name": "owner/model", "commit": commit, "model_type": "wav2vec2"}
    [(name, options)] = asked
    assert (name, options["revision"]) == ("owner/model", "refs/pr/3")
    assert {pattern.rpartition(".")[2] for pattern in options["allow_patterns"]} == {"json", "safetensors*", "md"}


class _Response:
    headers, status_code, request = {}, 404, None


def _refusal(kind):
    return kind("refused", response=_Response())


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (lambda: _refusal(errors.RepositoryNotFoundError), r"is not on the hub, or is private.*There is no folder o/m"),
        (lambda: errors.HFValidationError("bad"), "is not on the hub"),
        (lambda: _refusal(errors.GatedRepoError), "asks for its terms to be accepted.*hf auth login"),
        (lambda: _refusal(errors.RevisionNotFoundError), "has no revision 'x'"),
        (lambda: errors.LocalEntryNotFoundError("none"), r"the hub cannot be reached \(LocalEntryNotFoundError\)"),
        (lambda: errors.OfflineModeIsEnabled("off"), "the hub cannot be reached.*Fetch it once with a network"),
    ],
)
def test_what_the_hub_refuses_is_told_with_the_way_out(hub, error, told):
    hub(error())
    with pytest.raises(RecipeError, match=f"(?s)checkpoint o/m .*{told}"):
        load_encoder("o/m", revision="x")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(XlserError, match=r"cannot write .*file.*choose another folder"):
        load_encoder("random:tiny").save(tmp_path / "file")


def test_saving_takes_the_place_of_the_old_and_leaves_nothing_else(tmp_path):
    load_encoder("random:tiny", seed=1).save(tmp_path)
    load_encoder("random:tiny", seed=2).save(tmp_path)
    assert same(load_encoder(str(tmp_path)), load_encoder("random:tiny", seed=2))
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    (tmp_path / "beside").touch()
    assert {path.stat().st_mode for path in tmp_path.iterdir()} == {(tmp_path / "beside").stat().st_mode}


HUB_FILES = {
    "faster-whisper-small.en": (
        ["config.json", "model.bin", "vocabulary.txt"],
        "CTranslate2 .*openai/whisper-small.en",
    ),
    "whisper.cpp": (["ggml-base.bin", "README.md"], "ggml or gguf .*openai/whisper-base"),
    "whisper-onnx": (["config.json", "onnx/encoder_model.onnx"], "ONNX graph.*exported from, such as openai/whisper"),
    "emotion2vec_base": (["configuration.json", "config.yaml", "emotion2vec_base.pt"], "no class for emotion2vec"),
    "spkrec-ecapa": (["hyperparams.yaml", "embedding_model.ckpt", "config.json"], "SpeechBrain model.* pickles"),
    "old": (["config.json", "pytorch_model.bin"], r"holds only pytorch_model.bin.*save_pretrained"),
    "empty": ([], "must hold config.json and model.safetensors, but holds nothing"),
}


@pytest.mark.parametrize("name", HUB_FILES)
@pytest.mark.parametrize("listed", [True, False])
def test_a_model_in_another_layout_is_named_with_the_way_to_the_right_one(name, listed, hub, tmp_path, monkeypatch):
    """On the hub, of which only what could be read is fetched, as in a folder."""
    files, message = HUB_FILES[name]
    folder = tmp_path / name
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    folder.mkdir(exist_ok=True)
    if "onnx" in name:
        (folder / "config.json").write_text('{"model_type": "whisper", "encoder_layers": 4, "d_model": 8}')
    if name == "old":
        (folder / "config.json").write_text('{"model_type": "wav2vec2", "num_hidden_layers": 4, "hidden_size": 8}')
    if listed:
        (tmp_path / "fetched").mkdir()
        for file in folder.glob("config.json"):
            shutil.copy(file, tmp_path / "fetched")
        hub(tmp_path / "fetched")
        monkeypatch.setattr(huggingface_hub, "list_repo_files", lambda *_, **__: files)
    with pytest.raises(RunError, match=f"(?s){message}"):
        load_encoder(f"owner/{name}" if listed else str(folder))


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("ggml-large-v3.bin", "ggml or gguf .*openai/whisper-large-v3"),
        ("whisper-tiny.en.gguf", "ggml or gguf .*openai/whisper-tiny.en"),
        ("model.onnx", "ONNX graph"),
        ("medium.pt", "OpenAI's own code .*openai/whisper-medium"),
    ],
)
def test_a_file_of_another_layout_is_named(file, message, tmp_path):
    (tmp_path / file).touch()
    with pytest.raises(RecipeError, match=message):
        load_encoder(str(tmp_path / file))


@pytest.mark.parametrize(
    ("kind", "reason"), [("emotion2vec", "FunASR"), ("clap", "48 kHz"), ("speech-encoder-decoder", "two models")]
)
def test_a_model_that_cannot_be_a_family_is_refused_with_the_reason(kind, reason, folder):
    change(folder / "config.json", model_type=kind)
    with pytest.raises(RecipeError, match=rf"says '{kind}' \(.*{reason}"):
        load_encoder(str(folder))


def test_what_is_assumed_of_waveforms_is_said(folder):
    (folder / "preprocessor_config.json").unlink()
    with pytest.warns(UserWarning, match="no preprocessor_config.json: .* zero mean and unit variance"):
        load_encoder(str(folder))
    change(folder / "config.json", model_type="wavlm", feat_extract_norm="group")
    with pytest.warns(UserWarning, match="taken as they are"), pytest.raises(RunError):
        load_encoder(str(folder))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("openai/wisper-tiny", "'openai/whisper-tiny'"),
        ("facebook/wav2vec-base", "'facebook/wav2vec2-base'"),
        ("whisper-tinny", "'openai/whisper-tiny'"),
        ("nobody/no-such-model", "owner/model, such as"),
    ],
)
def test_a_mistyped_hub_name_is_told_the_nearest(hub, typed, meant):
    hub(_refusal(errors.RepositoryNotFoundError))
    with pytest.raises(RecipeError, match=f"is not on the hub.*{meant}"):
        load_encoder(typed)


@pytest.mark.parametrize("offline", [True, False])
def test_without_a_network_the_way_by_a_local_folder_is_told(offline, tmp_path, monkeypatch):
    """The hub's own library, with an empty cache and nobody at the other end."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RecipeError) as error:
        load_encoder("openai/whisper-tiny", revision="gone")
    for part in ("cannot be reached", "hf download openai/whisper-tiny --revision gone --local-dir FOLDER"):
        assert part in str(error.value)
    assert ("HF_HUB_OFFLINE is set" in str(error.value)) == offline


@pytest.mark.parametrize("prefix", ["backbone.", "module.", "model.", "encoder.", "_orig_mod.", "net.ssl.wav2vec2."])
def test_weights_under_any_prefix_are_those_of_the_encoder(tmp_path, prefix):
    plain = load_encoder("random:tiny")
    plain.save(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(
        {prefix + name: tensor for name, tensor in tensors.items()}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    state = load_encoder(str(tmp_path)).state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in plain.state_dict().items())


def _layered(name):
    return ("a." if "layers" in name else "b.") + name


@pytest.mark.parametrize(
    ("rename", "words"),
    [
        (_layered, "All of them are there under other names, such as 'a.encoder.layers"),
        (lambda name: name.replace("attention.", "attention._orig_mod."), "All of them are there under other names"),
        (lambda name: name.replace("q_proj.", "q_proj.base_layer."), "merge_and_unload"),
        (lambda name: "else." + name.replace("layers", "blocks"), "others, such as .*one and the same checkpoint"),
    ],
    ids=["two prefixes", "compiled inside", "adapters", "other names"],
)
def test_advice_on_weights_that_do_not_fit_is_what_helps(tmp_path, rename, words):
    load_encoder("random:tiny").save(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    save_file(
        {rename(name): tensor for name, tensor in tensors.items()}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(RunError, match=words):
        load_encoder(str(tmp_path))
