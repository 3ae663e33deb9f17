//! What this process may use of the machine: cores, memory, instructions.
//!
//! `available_parallelism` of the standard library knows the same sources but not why a number came out, nor
//! memory. Nothing here decides how many threads run.

#[cfg(any(target_os = "linux", test))]
mod cgroup;
mod process;
#[cfg(test)]
mod tests;

pub use process::{features, memory_total, model, peak_rss, rss};

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Cores of the machine and of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// Cores that are switched on.
    pub online: usize,
    /// Cores' worth of time this process may use, at least 1.
    pub allowed: usize,
    /// Why `allowed` is what it is: all cores, the affinity mask or a cgroup quota.
    pub reason: String,
}

/// A cgroup limit and the file that sets it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(not(any(target_os = "linux", test)), expect(dead_code, reason = "cgroups are Linux's"))]
struct Bound<T> {
    value: T,
    file: PathBuf,
}

/// The cores, read once: a thread pool sized by them does not change size either.
pub fn cores() -> &'static Cores {
    static CORES: OnceLock<Cores> = OnceLock::new();
    CORES.get_or_init(|| {
        let online = process::online();
        decide(online, process::affinity(), quota(Path::new("/")))
    })
}

/// The smallest memory limit of the process's cgroups in bytes; `None` when there is none.
#[must_use]
pub fn memory_limit() -> Option<u64> {
    #[cfg(target_os = "linux")]
    let limit = cgroup::memory(Path::new("/")).map(|bound| bound.value);
    #[cfg(not(target_os = "linux"))]
    let limit = None;
    limit
}

/// The part of the memory that this process may have which work beside weights of `weights` bytes can count on, in quarters: the last
/// one is left to the weights' copies, to the caller's program and to the system.
const WORK_QUARTERS: u64 = 3;

/// Bytes that work beside weights of `weights` bytes can count on: three quarters of what the machine and the container leave after
/// the weights. The largest number where the memory of the machine is not known.
#[must_use]
pub fn memory_for_work(weights: u64) -> u64 {
    let machine = memory_total().filter(|&bytes| bytes > 0);
    let Some(most) = machine.into_iter().chain(memory_limit()).min() else { return u64::MAX };
    most.saturating_sub(weights) / 4 * WORK_QUARTERS
}

#[cfg(any(target_os = "linux", test))]
fn quota(root: &Path) -> Option<Bound<f64>> {
    cgroup::cpu(root)
}

#[cfg(not(any(target_os = "linux", test)))]
fn quota(_root: &Path) -> Option<Bound<f64>> {
    None
}

/// The smaller of what affinity and quota leave. A quota of 1.5 cores allows 2 threads: with one a third of
/// the time would stay unused.
fn decide(online: usize, affinity: Option<usize>, quota: Option<Bound<f64>>) -> Cores {
    let online = online.max(1);
    let affine = affinity.unwrap_or(online).max(1);
    let cores = |allowed, reason| Cores { online, allowed, reason };
    match quota {
        Some(quota) if quota.value <= whole(affine) - 1.0 => {
            let reason = format!("cgroup quota of {:.2} cores in {}", quota.value, quota.file.display());
            cores(rounded_up(quota.value), reason)
        }
        _ if affine < online => cores(affine, format!("affinity to {affine} of {online} cores")),
        _ => cores(affine, "all cores".to_owned()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "no machine has 2^53 cores")]
fn whole(cores: usize) -> f64 {
    cores as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive and below a core count"
)]
fn rounded_up(cores: f64) -> usize {
    (cores.ceil() as usize).max(1)
}
