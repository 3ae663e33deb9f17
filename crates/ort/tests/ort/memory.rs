//! Memory comes back: after a large run, and after a backend is gone.
#![cfg(target_os = "linux")]

use crate::common::{batch, first, input_names, load, minilm, tiny};
use millrace_contract::Backend;

/// Resident memory of this process in bytes.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Runs in a process of its own: other tests of this file would change the numbers.
#[test]
fn a_large_run_and_a_dropped_backend_give_memory_back() {
    const CHILD: &str = "MILLRACE_MEMORY_TEST";
    if std::env::var_os(CHILD).is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "memory::a_large_run_and_a_dropped_backend_give_memory_back"])
            .env(CHILD, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let path = minilm("model.onnx").unwrap_or_else(|| {
        // A weaker test must not pass for the whole one without a word.
        eprintln!("the fp32 weights of MiniLM are not there: memory is measured on a tiny model");
        tiny()
    });
    drop(load(&path, 1)); // what the library keeps for itself
    let empty = resident();
    let backend = load(&path, 1);
    let names = input_names(&backend);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut session = backend.open(0).unwrap();
    first(session.as_mut(), &batch(&names, 1, 32, 1, 50)).unwrap();
    let loaded = resident();
    first(session.as_mut(), &batch(&names, 16, 256, 1, 50)).unwrap();
    let after = resident();
    assert!(after < loaded + (40 << 20), "{} MB more after a large run", (after - loaded) >> 20);
    for _ in 0..20 {
        drop(session);
        session = load(&path, 1).open(0).unwrap();
    }
    drop((session, backend));
    let end = resident();
    assert!(end < empty + (20 << 20), "{} MB more after dropping", (end - empty) >> 20);
}
