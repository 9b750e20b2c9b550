"""Cross-lingual speech emotion recognition: learn on a language that has data, carry it to one that has little.

::

    import xlser as xl

    emodb = xl.load_corpus("emodb", root="/data/emodb")
    mine = xl.Dataset.from_frame(df, audio="path", emotion="emo", speaker="spk", language="el")
    model = xl.Recogniser(xl.NoNetwork("egemaps")).fit(emodb)
    print(xl.evaluate(model, mine))
    print(xl.transfer([xl.NoNetwork("egemaps"), xl.Autoencoder("egemaps")], [emodb], [mine], few_shot=[1, 5]))

Data: `load_corpus`, `Dataset`. What is trained: `Autoencoder`, `FineTuned`, `NoNetwork`, on `features`, by `losses`.
What reads it: `Knn`, `Probe`, `Head`, `Interpolated`. The two together: `Recogniser`, `load`. How well: `evaluate`,
`transfer`. Which layer of an encoder: `probe_layers`. What makes up for a shift: `Coral` and the others of
`xlser.evaluation.adaptations`, several in a `Chain` (or as a text, `make_adaptation`). All of that chosen for a target,
without a label of it: `best`. Each says more of itself: ``help(xlser.Dataset)``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from xlser.version import __version__ as __version__

if TYPE_CHECKING:
    from xlser import features as features
    from xlser import losses as losses
    from xlser.api.carrying import transfer as transfer
    from xlser.api.evaluating import evaluate as evaluate
    from xlser.api.probing import probe_layers as probe_layers
    from xlser.api.recogniser import Recogniser as Recogniser
    from xlser.api.recogniser import load as load
    from xlser.api.searching import best as best
    from xlser.data.dataset import Dataset as Dataset
    from xlser.data.dataset import load_corpus as load_corpus
    from xlser.errors import XlserError as XlserError
    from xlser.evaluation.adaptations import *  # noqa: F403
    from xlser.evaluation.adaptations import make_adaptation as make_adaptation
    from xlser.evaluation.adapting import Chain as Chain
    from xlser.systems.kinds import Autoencoder as Autoencoder
    from xlser.systems.kinds import FineTuned as FineTuned
    from xlser.systems.kinds import NoNetwork as NoNetwork
    from xlser.systems.speaks import Head as Head
    from xlser.systems.speaks import Interpolated as Interpolated
    from xlser.systems.speaks import Knn as Knn
    from xlser.systems.speaks import Probe as Probe

# Where each name comes from: it is imported when it is asked for, so that `import xlser` stays light.
_HOMES = {
    "data.dataset": ("Dataset", "load_corpus"),
    "errors": ("XlserError",),
    "evaluation.adaptations": ("make_adaptation",),
    "evaluation.adapting": ("Chain",),
    "api.carrying": ("transfer",),
    "api.evaluating": ("evaluate",),
    "api.probing": ("probe_layers",),
    "api.recogniser": ("Recogniser", "load"),
    "api.searching": ("best",),
    "systems.kinds": ("Autoencoder", "FineTuned", "NoNetwork"),
    "systems.speaks": ("Knn", "Probe", "Head", "Interpolated"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_ROOMS = ("features", "losses")
__all__ = ["__version__", *_HOME, *_ROOMS]  # noqa: PLE0604 (they are texts)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"xlser.{name}")
    if name in _HOME:
        return getattr(import_module(f"xlser.{_HOME[name]}"), name)
    if name[:1].isupper() and name in (found := _adaptations()):
        return found[name]
    raise AttributeError(f"module 'xlser' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_adaptations()})


def _adaptations() -> dict[str, Any]:
    """Return every adaptation of the table by its class's name: a new one needs no line here."""
    from xlser.evaluation.adaptations import ADAPTATIONS

    return {kind.__name__: kind for kind in ADAPTATIONS.values()}
