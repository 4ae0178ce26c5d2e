"""Corpora of each format that nobody has described: file, content, settings to find, and documents to read."""

import bz2
import csv
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

TEXTS = [f"The {adjective} film number {n} has an end." for n, adjective in enumerate(("dull", "warm") * 10)]
LABELS = ["neg", "pos"] * 10
PAIRS = list(zip(TEXTS, LABELS, strict=True))
TAGGED = [([f"Word{n}", "sleeps", "."], ["B-PER", "O", "O"]) for n in range(20)]
FIELDS = [{"review": text, "sentiment": label} for text, label in PAIRS]


def table(rows, **dialect) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", **dialect).writerows(rows)
    return text.getvalue()


def lines(*values: str) -> str:
    return "".join(f"{value}\n" for value in values)


def parquet(**columns) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    return data.getvalue()


def conllu(tokens, tags) -> str:
    rows = [
        f"{n}\t{token}\t_\t{tag}\t_\t_\t0\troot\t_\t_"
        for n, (token, tag) in enumerate(zip(tokens, tags, strict=True), 1)
    ]
    return lines("# text = x", "1-2\tWordsleeps" + "\t_" * 8, *rows, "")


NAMED = [("text", "label"), *PAIRS]
SENTENCES = lines(*(lines(*(f"{token} {tag}" for token, tag in zip(*one, strict=True))) for one in TAGGED))
HEADERLESS = [(label, number, text) for number, (text, label) in enumerate(PAIRS)]
QUOTED = [('He said "no, never" and left', label) if n % 3 else PAIRS[n] for n, label in enumerate(LABELS)]
PROSE = [(f'"It is {n}, he said' if n % 2 else f'and so it was {n}."', label) for n, label in enumerate(LABELS)]

TABLES = {
    "csv": ("a.csv", table(NAMED), {"format": "csv"}, PAIRS),
    "csv with a byte order mark": ("a.csv", "\ufeff" + table(NAMED), {"format": "csv"}, PAIRS),
    "csv with Windows' line ends": ("a.csv", table(NAMED).replace("\n", "\r\n"), {"format": "csv"}, PAIRS),
    "semicolons": ("a.csv", table(NAMED, delimiter=";"), {"format": "csv", "delimiter": ";"}, PAIRS),
    "bars": ("a.txt", table(NAMED, delimiter="|"), {"format": "csv", "delimiter": "|"}, PAIRS),
    "quoted fields": ("a.csv", table([NAMED[0], *QUOTED]), {"format": "csv"}, QUOTED),
    "escapes": (
        "a.csv",
        table([NAMED[0], *QUOTED], doublequote=False, escapechar="\\"),
        {"format": "csv", "escape": "\\"},
        QUOTED,
    ),
    "blanks": (
        "a.csv",
        "".join(f'{label}, "{text}"\n' for text, label in [NAMED[0], *PAIRS]),
        {"format": "csv", "skip_blanks": True},
        PAIRS,
    ),
    "no header": ("a.csv", table(HEADERLESS), {"format": "csv", "header": False, "text": "3", "label": "1"}, PAIRS),
    "tsv": ("a.tsv", table(NAMED, delimiter="\t"), {"format": "tsv"}, PAIRS),
    "tsv of another name": ("a.csv", table(NAMED, delimiter="\t"), {"format": "tsv"}, PAIRS),
    "tsv without header": (
        "SMS",
        table([(label, text) for text, label in PAIRS], delimiter="\t"),
        {"format": "tsv", "header": False, "text": "2", "label": "1"},
        PAIRS,
    ),
    "tsv with quotes in prose": (
        "a.tsv",
        lines(*("\t".join(pair) for pair in [NAMED[0], *PROSE])),
        {"format": "tsv"},
        PROSE,
    ),
    "tsv with quoted fields": (
        "a.tsv",
        table([NAMED[0], *QUOTED], delimiter="\t", quoting=csv.QUOTE_ALL),
        {"format": "tsv", "quoting": "minimal"},
        QUOTED,
    ),
    "utf-16": ("a.csv", table(NAMED).encode("utf-16"), {"format": "csv", "encoding": "utf-16"}, PAIRS),
    "utf-16 without a mark": ("a.csv", table(NAMED).encode("utf-16-be"), {"encoding": "utf-16-be"}, PAIRS),
    "cp1252": (
        "a.csv",
        table([NAMED[0], *((text + " café", label) for text, label in PAIRS)]).encode("cp1252"),
        {"format": "csv", "encoding": "cp1252"},
        [(text + " café", label) for text, label in PAIRS],
    ),
    "sources and other columns": (
        "a.csv",
        table([("id", "site", "created", "body", "stars"), *((n, "ab"[n % 2], f"2020-01-{n + 1:02} at noon", *pair)
               for n, pair in enumerate(PAIRS))]),
        {"format": "csv", "text": "body", "label": "stars", "source": "site"},
        PAIRS,
    ),
    "a header of questions": (
        "a.csv",
        table([("How likely are you to see it again, from 1 to 5?", "What do you say about this film?", "Segment"),
               *((n % 5, *pair) for n, pair in enumerate(PAIRS))]),
        {"text": "What do you say about this film?", "label": "Segment"},
        PAIRS,
    ),
    "splits": (
        "a.csv",
        table([("text", "label", "fold"), *((*pair, ("train", "dev", "test")[n % 3]) for n, pair in enumerate(PAIRS))]),
        {"split": "fold", "split_values": {"dev": "eval"}},
        PAIRS,
    ),
}  # fmt: skip

RECORDS = {
    "jsonl": ("a.jsonl", lines(*map(json.dumps, FIELDS)), {"format": "jsonl"}, PAIRS),
    "jsonl of another name": ("a.txt", lines(*map(json.dumps, FIELDS)), {"format": "jsonl"}, PAIRS),
    "nested keys": (
        "a.jsonl",
        lines(*(json.dumps({"tweet": {"full_text": text}, "label": {"name": label}}) for text, label in PAIRS)),
        {"format": "jsonl", "text": "tweet.full_text", "label": "label.name"},
        PAIRS,
    ),
    "json": ("a.json", json.dumps(FIELDS), {"format": "json", "text": "review", "label": "sentiment"}, PAIRS),
    "json in an object": (
        "a.json",
        json.dumps({"version": 1, "data": {"items": FIELDS}}, indent=1),
        {"format": "json", "records": "data.items"},
        PAIRS,
    ),
    "json in an object on one line": (
        "a.json",
        json.dumps({"version": 1, "data": FIELDS}),
        {"format": "json", "records": "data"},
        PAIRS,
    ),
    "parquet": ("a.parquet", parquet(text=TEXTS, label=LABELS), {"format": "parquet"}, PAIRS),
    "parquet of another name": ("a.bin", parquet(text=TEXTS, label=LABELS), {"format": "parquet"}, PAIRS),
    "lists of labels": (
        "a.jsonl",
        lines(*(json.dumps({"text": text, "labels": [label, "all"]}) for text, label in PAIRS)),
        {"format": "jsonl", "label": "labels", "multi_label": True},
        [(text, tuple(sorted((label, "all")))) for text, label in PAIRS],
    ),
    "labels in one text": (
        "a.csv",
        table([("text", "genres"), *((text, f"{label}|all") for text, label in PAIRS)]),
        {"label": "genres", "multi_label": True, "label_separator": "|"},
        [(text, tuple(sorted((label, "all")))) for text, label in PAIRS],
    ),
    "fasttext": ("a.txt", lines(*(f"__label__{label} {text}" for text, label in PAIRS)), {"format": "fasttext"}, PAIRS),
    "fasttext with several labels": (
        "a.txt",
        lines(*(f"__label__{label} __label__all {text}" for text, label in PAIRS)),
        {"format": "fasttext", "multi_label": True},
        [(text, tuple(sorted((label, "all")))) for text, label in PAIRS],
    ),
}

PLAIN = {
    "lines": ("a.txt", lines(*TEXTS), {"format": "text", "document": "line"}, [(text, None) for text in TEXTS]),
    "verses of three words": (
        "a.txt",
        lines(*("roses are red\nviolets are blue\nsugar is sweet\n" for _ in range(9))),
        {"format": "text", "document": "paragraph"},
        [("roses are red\nviolets are blue\nsugar is sweet", None)] * 9,
    ),
    "paragraphs": (
        "a.txt",
        lines(*(f"{text}\n{text}\n" for text in TEXTS)),
        {"format": "text", "document": "paragraph"},
        [(f"{text}\n{text}", None) for text in TEXTS],
    ),
    "a table of texts": (
        "a.csv",
        table([["text"], *([t] for t in TEXTS)]),
        {"format": "csv"},
        [(t, None) for t in TEXTS],
    ),
}

TOKENS = {
    "conll": ("a.conll", SENTENCES, {"format": "conll", "columns": {"token": 1, "tag": -1}}, TAGGED),
    "conll of another name": ("a.txt", SENTENCES, {"format": "conll"}, TAGGED),
    "conll with comments": (
        "a.txt",
        SENTENCES.replace("Word", "# a sentence of three words\nWord"),
        {"format": "conll", "columns": {"token": 1, "tag": -1, "comment": "# "}},
        TAGGED,
    ),
    "conll with blanks in tokens": (
        "a.txt",
        SENTENCES.replace(" ", "\t").replace("Word1\t", "Word 1\t"),
        {"format": "conll", "delimiter": "\t"},
        [([tokens[0].replace("Word1", "Word 1") if n == 1 else tokens[0], *tokens[1:]], tags)
         for n, (tokens, tags) in enumerate(TAGGED)],
    ),
    "conllu": (
        "a.conllu",
        "".join(conllu(tokens, ["NOUN", "VERB", "PUNCT"]) for tokens, _ in TAGGED),
        {"format": "conllu", "tag": "upos"},
        [(tokens, ["NOUN", "VERB", "PUNCT"]) for tokens, _ in TAGGED],
    ),
    "lists of tokens and tags": (
        "a.jsonl",
        lines(*(json.dumps({"id": n, "tokens": t, "ner_tags": g}) for n, (t, g) in enumerate(TAGGED))),
        {"format": "jsonl", "tokens": "tokens", "tag": "ner_tags"},
        TAGGED,
    ),
    "lists in parquet": (
        "a.parquet",
        parquet(words=[tokens for tokens, _ in TAGGED], pos=[tags for _, tags in TAGGED]),
        {"format": "parquet", "tokens": "words", "tag": "pos"},
        TAGGED,
    ),
}  # fmt: skip

COMPRESSED = {
    "gzip": ("a.csv.gz", gzip.compress(table(NAMED).encode()), {"format": "csv"}, PAIRS),
    "gzip of another name": ("a.csv", gzip.compress(table(NAMED).encode()), {"format": "csv"}, PAIRS),
    "bzip2": ("a.csv.bz2", bz2.compress(table(NAMED).encode()), {"format": "csv"}, PAIRS),
    "xz": ("a.jsonl.xz", lzma.compress(lines(*map(json.dumps, FIELDS)).encode()), {"format": "jsonl"}, PAIRS),
    "Zstandard": ("a.csv.zst", zstandard.ZstdCompressor().compress(table(NAMED).encode()), {"format": "csv"}, PAIRS),
}

FORMATS = {**TABLES, **RECORDS, **PLAIN, **TOKENS, **COMPRESSED}
