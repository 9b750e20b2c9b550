"""The reference says what the code says, and the site builds without a warning."""

import re
import shutil
import threading
import urllib.request

import click
import pytest

import xlser
from xlser.cli.main import xlser as command
from xlser.corpora.card import Card, card_paths
from xlser.docs.opened import local_server
from xlser.docs.reference import reference_pages
from xlser.docs.site import build_site, cached_site
from xlser.errors import XlserError
from xlser.schema import models_in
from xlser.training.encoder_recipe import EncoderRecipe
from xlser.training.load import recipe_paths
from xlser.training.recipe import Recipe


@pytest.fixture(scope="module")
def pages():
    return reference_pages(command)


def verbs(group, name="xlser"):
    yield name, group
    with click.Context(group) as context:
        for word in group.list_commands(context) if isinstance(group, click.Group) else ():
            yield from verbs(group.get_command(context, word), f"{name} {word}")


def test_every_verb_and_option_stands_in_the_reference(pages):
    for name, verb in verbs(command):
        assert f"## {name}\n" in pages["commands"]
        for parameter in verb.params:
            assert all(option in pages["commands"] for option in parameter.opts if option.startswith("--"))


@pytest.mark.parametrize(
    ("page", "model"), [("cards", Card), ("recipe-keys", Recipe), ("encoder-recipe-keys", EncoderRecipe)]
)
def test_every_key_stands_in_the_reference(pages, page, model):
    found = models_in(model)
    assert len(found) > 3
    for inner in found:
        part = pages[page].split(f"## {inner.__name__}\n")[1].split("\n## ")[0]
        assert set(inner.model_fields) <= set(re.findall(r"^\| `([\w-]+)` \|", part, re.MULTILINE))


def test_cards_recipes_and_python_are_all_there(pages):
    assert all(f"| `{name}` |" in pages["cards"] for name in card_paths())
    assert all(f"| `{name}` |" in pages["recipes"] for name in recipe_paths())
    assert "## xlser.Recogniser\n" in pages["python"]
    assert "### Recogniser.fit\n" in pages["python"]
    assert xlser.Recogniser.fit.__doc__.splitlines()[0] in pages["python"]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("zensical", reason="the site is built by Zensical: pip install 'xlser[docs]'")
    return cached_site(tmp_path_factory.mktemp("cache"), command).parent


def test_the_site_is_built_once_loads_nothing_from_elsewhere_and_is_served(site):
    page = site / "index.html"
    before = page.stat().st_mtime_ns
    assert cached_site(site.parent, command) == page
    assert page.stat().st_mtime_ns == before
    texts = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    assert len(texts) > 20
    assert not any(
        re.search(r"""<(script|img|iframe)[^>]* src="https?:|<link[^>]* href="https?:""", text) for text in texts
    )
    server, address = local_server(site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    assert address.startswith("http://127.0.0.1:")
    assert b"xlser" in urllib.request.urlopen(address, timeout=10).read()
    assert b"predict" in urllib.request.urlopen(address.replace("index.html", "search.json"), timeout=10).read()
    server.shutdown()
    server.server_close()


def test_a_link_that_leads_nowhere_fails_the_build(tmp_path, monkeypatch):
    pytest.importorskip("zensical")
    from xlser.docs import site as made

    guide = tmp_path / "copy" / "guide"
    shutil.copytree(made.GUIDE, guide)
    shutil.copy(made.GUIDE.parent / "index.md", guide.parent)
    (guide / "predict.md").write_text("# Predict\n\n[nowhere](nowhere.md)\n")
    monkeypatch.setattr(made, "GUIDE", guide)
    with pytest.raises(XlserError, match=r"nowhere\.md|does not exist"):
        build_site(tmp_path / "site", command)
    assert not (tmp_path / "site").exists()
