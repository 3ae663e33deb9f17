"""Python's fastembed as a contestant: `python contestant.py DIRECTORY FILE LIMIT`.

Commands come on standard input, one a line, each answered by a line of JSON: `texts FILE`, `run BATCH` (0: its
default), `vectors FILE` (of the last run, float32, row-major). The limit is what the directory's tokenizer says.
"""

import json
import sys
import time

import numpy
from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType

WARM_UP = 8
NAME = "millrace-bench/model"


def load(directory, file):
    TextEmbedding.add_custom_model(
        model=NAME,
        pooling=PoolingType.MEAN,
        normalization=True,
        sources=ModelSource(hf=NAME),
        dim=384,
        model_file=file,
    )
    return TextEmbedding(NAME, specific_model_path=directory)


def main():
    directory, file, limit = sys.argv[1:]
    model = load(directory, file)
    found = model.model.tokenizer.truncation["max_length"]
    if found != int(limit):
        raise SystemExit(f"Expected a limit of {limit} tokens but the tokenizer says {found}")
    texts, rows = [], []
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        if command == "texts":
            with open(argument, encoding="utf-8") as source:
                texts = json.load(source)
            list(model.embed(texts[:WARM_UP], batch_size=WARM_UP))
            answer = {"texts": len(texts)}
        elif command == "run":
            options = {"batch_size": int(argument)} if int(argument) > 0 else {}
            started = time.perf_counter()
            rows = list(model.embed(texts, **options))
            answer = {"seconds": time.perf_counter() - started, "texts": len(rows)}
        elif command == "vectors":
            matrix = numpy.asarray(rows, dtype="<f4")
            matrix.tofile(argument)
            answer = {"dim": int(matrix.shape[1])}
        else:
            raise SystemExit(f"Expected texts, run or vectors but received {command}")
        print(json.dumps(answer), flush=True)


main()
