"""Uses the cache named by HF_HUB_CACHE as the hub's own Python client does, and prints what it found as JSON."""

import hashlib
import json
import sys
import warnings

from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download, try_to_load_from_cache
from huggingface_hub.file_download import _CACHED_NO_EXIST


def read(repo, files, absent, whole):
    # A client that has listed the repository knows which files nobody downloaded.
    snapshot = snapshot_download(repo, local_files_only=True, allow_patterns=None if whole else files)
    paths = {name: hf_hub_download(repo, name, local_files_only=True) for name in files}
    hashes = {name: hashlib.sha256(open(path, "rb").read()).hexdigest() for name, path in paths.items()}
    report = scan_cache_dir()
    return {
        "snapshot": snapshot,
        "inside": all(path.startswith(snapshot) for path in paths.values()),
        "hashes": hashes,
        "absent": [try_to_load_from_cache(repo, name) is _CACHED_NO_EXIST for name in absent],
        "scanned": [[found.repo_id, found.nb_files] for found in report.repos],
        "warnings": [str(warning) for warning in report.warnings],
    }


def download(repo, files, **_):
    return {"snapshot": snapshot_download(repo, allow_patterns=files)}


with warnings.catch_warnings():
    warnings.simplefilter("error")
    action, argument = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({"read": read, "download": download}[action](**argument)))
