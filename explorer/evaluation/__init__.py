"""How good a model is: metrics, protocols, comparisons and reports.

What is measured: ``sources.py`` opens a split, ``encoding.py`` takes it through a model, ``clips.py`` does so with
clips, ``visual.py`` says what sentences are about, ``similarities.py`` compares photos or clips and sentences for one
model or the mean of several, in folds or as a whole.
How: ``image_text.py`` computes recall as pure functions of similarities and of who owns which sentence, under either
rule about ties; ``relevance.py`` mAP@R and its relatives where a query has several right answers, which
``judgements.py`` reads and ``judging.py`` applies, ``equivalents.py`` those of what fits equally well; ``timing.py``
takes a query's time apart; ``comparison.py`` says whether one model beats another on the same photos.
What is said: ``protocols.py`` knows the field's protocols by name, ``report.py`` is what comes out, ``tables.py``
writes it as Markdown and CSV, ``provenance.py`` says what a model was trained on.

Binary codes have a protocol of their own. ``hashing_pairs.py`` knows queries, gallery and the labels that say what
answers what, ``label_rules.py`` which labels must be shared; ``hashing_presets.py`` the published divisions;
``hashing.py`` ranks a block at a time beside random codes, with the metrics of ``hashing_metrics.py``;
``hashing_protocol.py`` does so in four directions; ``hashing_report.py`` and ``hashing_tables.py`` are what comes out.
"""
