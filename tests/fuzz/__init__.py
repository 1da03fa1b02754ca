"""Fuzzing of all that reads foreign bytes, with atheris.

python -m tests.fuzz answer --seconds 600 --found found
python -m tests.fuzz answer --keep --found found

The first looks for inputs that break a promise, and stops at one. The second keeps the best of
what was found, beside what was kept before, for the replay in `test_corpus.py`; the outcomes are
those of the lxml that is installed.
"""
