"""Classifies temperature and humidity with a scikit-learn model."""

from pathlib import Path

import joblib
from train import train

MODEL = "model.joblib"


def init(context):
    """Called once where the package is loaded: all instances share the memory of what is made here."""
    context.user_data.model = load_model(Path(context.package_dir))


def load_model(folder):
    """The model that `python train.py` has saved; until then one that is trained now."""
    saved = folder / MODEL
    return joblib.load(saved) if saved.exists() else train()


def index(event, context):
    """`{"alarm": true}` for `{"t": 188, "h": 134}`."""
    label = context.user_data.model.predict([[event["t"], event["h"]]])[0]
    return {"alarm": bool(label)}
