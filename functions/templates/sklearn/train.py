"""Trains the model on data that it makes itself; `python train.py` saves it beside this file."""

import random
from pathlib import Path

import joblib
from sklearn.linear_model import LogisticRegression

SEED = 7
RECORDS = 500


def make_data():
    """Temperatures `t` and humidities `h` from 0 to 200; 1 where their weighted sum is high."""
    source = random.Random(SEED)
    features = [[source.randint(0, 200), source.randint(0, 200)] for _ in range(RECORDS)]
    labels = [int(2 * t + h > 300) for t, h in features]
    return features, labels


def train():
    """A classifier of the two features t and h, in this order."""
    features, labels = make_data()
    return LogisticRegression(max_iter=1000).fit(features, labels)


if __name__ == "__main__":
    joblib.dump(train(), Path(__file__).with_name("model.joblib"))
