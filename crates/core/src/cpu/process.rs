//! Facts about this process and its machine that the system tells directly.

/// Cores that are switched on; at least 1.
pub(super) fn online() -> usize {
    #[cfg(unix)]
    {
        // SAFETY: sysconf reads no memory of ours and has no other requirement.
        let count = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) };
        if let Ok(count) = usize::try_from(count)
            && count > 0
        {
            return count;
        }
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Cores of the affinity mask, which container cpusets show in too; `None` where there is no such mask.
#[cfg(target_os = "linux")]
pub(super) fn affinity() -> Option<usize> {
    // The main thread's mask: the calling thread may be pinned for reasons of its own.
    let process = libc::pid_t::try_from(std::process::id()).ok()?;
    // A kernel built for more cores than the mask has bits refuses it; 64 Ki bits are above any limit it has.
    let mut words = 16;
    while words <= 1024 {
        let mut mask = vec![0 as libc::c_ulong; words];
        // SAFETY: the pointer is to as many writable bytes as the size says, aligned for the mask's words,
        // which is what cpu_set_t is made of.
        let status = unsafe {
            libc::sched_getaffinity(process, size_of_val(mask.as_slice()), mask.as_mut_ptr().cast())
        };
        if status == 0 {
            let count: u32 = mask.iter().map(|word| word.count_ones()).sum();
            return usize::try_from(count).ok().filter(|&count| count > 0);
        }
        words *= 2;
    }
    None
}

/// Cores of the affinity mask, where the standard library knows one.
#[cfg(not(target_os = "linux"))]
pub(super) fn affinity() -> Option<usize> {
    std::thread::available_parallelism().ok().map(usize::from)
}

/// Peak resident set of this process in bytes; `None` where the system does not tell.
#[must_use]
pub fn peak_rss() -> Option<u64> {
    #[cfg(target_os = "linux")]
    let peak = kilobytes("/proc/self/status", "VmHWM:");
    #[cfg(all(unix, not(target_os = "linux")))]
    let peak = peak_of_usage();
    #[cfg(not(unix))]
    let peak = None;
    peak
}

/// Resident set of this process in bytes; `None` where the system does not tell.
#[must_use]
pub fn rss() -> Option<u64> {
    kilobytes("/proc/self/status", "VmRSS:")
}

/// Memory of the machine in bytes; `None` where the system does not tell.
#[must_use]
pub fn memory_total() -> Option<u64> {
    #[cfg(unix)]
    {
        // SAFETY: sysconf reads no memory of ours and has no other requirement.
        let (pages, size) =
            unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
        u64::try_from(pages).ok()?.checked_mul(u64::try_from(size).ok()?).filter(|&bytes| bytes > 0)
    }
    #[cfg(not(unix))]
    None
}

#[cfg(all(unix, not(target_os = "linux")))]
fn peak_of_usage() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to a writable rusage.
    if unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) } != 0 {
        return None;
    }
    // SAFETY: getrusage filled it, as it returned 0.
    let most = unsafe { usage.assume_init() }.ru_maxrss;
    // Apple counts bytes, the other systems kilobytes.
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    u64::try_from(most).ok().map(|most| most * unit)
}

fn kilobytes(file: &str, key: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

/// Name of the processor as the system writes it; empty where it does not tell.
#[must_use]
pub fn model() -> String {
    std::fs::read_to_string("/proc/cpuinfo").map(|text| model_in(&text)).unwrap_or_default()
}

/// The first key of those that processors' families write their names under.
pub(super) fn model_in(cpuinfo: &str) -> String {
    let value = |key: &str| {
        cpuinfo.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            (name.trim() == key && !value.trim().is_empty()).then(|| value.trim().to_owned())
        })
    };
    ["model name", "Model", "Hardware", "cpu model", "uarch"].into_iter().find_map(value).unwrap_or_default()
}

macro_rules! detected {
    ($detect:path: $($name:tt),*) => {{
        use $detect as detect;
        [$(($name, detect!($name))),*].into_iter().filter(|feature| feature.1).map(|feature| feature.0).collect()
    }};
}

/// Instruction sets that matter to inference, of those this processor and system have.
#[must_use]
pub fn features() -> Vec<&'static str> {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
    let found = detected!(std::is_x86_feature_detected:
        "sse4.1", "avx", "f16c", "fma", "avx2", "avxvnni", "avx512f", "avx512bw", "avx512vl", "avx512vnni",
        "avx512bf16", "avx512fp16");
    #[cfg(target_arch = "aarch64")]
    let found = detected!(std::arch::is_aarch64_feature_detected:
        "neon", "fp16", "dotprod", "i8mm", "bf16", "sve", "sve2");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
    let found = Vec::new();
    found
}
