"""Trials of a trivial objective with Optuna's random sampler and its journal file: python3 optuna_random.py JOURNAL N"""
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(
    storage=JournalStorage(JournalFileBackend(sys.argv[1])),
    sampler=optuna.samplers.RandomSampler(seed=1),
)
study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=int(sys.argv[2]))
