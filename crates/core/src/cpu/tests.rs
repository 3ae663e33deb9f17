//! Limits read from made-up trees of files, and the real ones of this process.

use super::*;
use std::fs;
use tempfile::TempDir;

fn tree(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

const MOUNTS2: (&str, &str) = (
    "proc/self/mountinfo",
    "22 1 0:21 / /proc rw - proc proc rw\n\
     30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
);

const MOUNTS1: (&str, &str) = (
    "proc/self/mountinfo",
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
     32 31 0:29 /docker/abc /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
     35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw master:15 - cgroup cgroup rw,memory\n\
     36 31 0:33 /docker/abc /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n",
);

#[test]
fn version_2_takes_the_smallest_on_the_way_up() {
    let root = tree(&[
        MOUNTS2,
        ("proc/self/cgroup", "0::/a.slice/b/c\n"),
        ("sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n"),
        ("sys/fs/cgroup/a.slice/b/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/a.slice/b/c/cpu.max", "400000 100000\n"),
        ("sys/fs/cgroup/a.slice/memory.max", "max\n"),
        ("sys/fs/cgroup/a.slice/b/memory.max", "1073741824\n"),
        ("sys/fs/cgroup/a.slice/b/c/memory.max", "2147483648\n"),
        ("sys/fs/cgroup/other/cpu.max", "1000 100000\n"),
    ]);
    let quota = cgroup::cpu(root.path()).unwrap();
    assert_eq!((quota.value, quota.file), (1.5, root.path().join("sys/fs/cgroup/a.slice/cpu.max")));
    assert_eq!(cgroup::memory(root.path()).map(|bound| bound.value), Some(1 << 30));
}

#[test]
fn version_2_without_limits_has_none() {
    let root = tree(&[
        MOUNTS2,
        ("proc/self/cgroup", "0::/x\n"),
        ("sys/fs/cgroup/x/cpu.max", "max 100000\n"),
        ("sys/fs/cgroup/x/memory.max", "max\n"),
    ]);
    assert_eq!(cgroup::cpu(root.path()), None);
    assert_eq!(cgroup::memory(root.path()), None);
    assert_eq!(cgroup::cpu(Path::new("/nonexistent")), None);
}

#[test]
fn version_1_in_a_container() {
    let root = tree(&[
        MOUNTS1,
        (
            "proc/self/cgroup",
            "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc/job\n3:cpuset:/docker/abc\n0::/\n",
        ),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "-1\n"),
        ("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n"),
        ("sys/fs/cgroup/cpuset/cpu.cfs_quota_us", "1\n"),
    ]);
    assert_eq!(cgroup::cpu(root.path()).map(|bound| bound.value), Some(2.5));
    assert_eq!(cgroup::memory(root.path()).map(|bound| bound.value), Some(512 << 20));
    fs::write(root.path().join("sys/fs/cgroup/memory/memory.limit_in_bytes"), "9223372036854771712").unwrap();
    assert_eq!(cgroup::memory(root.path()), None);
}

#[test]
fn a_group_outside_of_the_mount_is_the_mount() {
    for group in ["/../../other", "/elsewhere/pod"] {
        let root = tree(&[
            ("proc/self/mountinfo", "30 23 0:26 /docker/abc /sys/fs/my\\040cgroup rw - cgroup2 cgroup2 rw\n"),
            ("proc/self/cgroup", &format!("0::{group}\n")),
            ("sys/fs/my cgroup/cpu.max", "50000 100000\n"),
        ]);
        assert_eq!(cgroup::cpu(root.path()).map(|bound| bound.value), Some(0.5), "{group}");
    }
}

#[test]
fn both_versions_at_once() {
    let mounts = MOUNTS1.1.to_owned() + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
    let root = tree(&[
        ("proc/self/mountinfo", &mounts),
        ("proc/self/cgroup", "4:cpu,cpuacct:/docker/abc\n1:name=systemd:/cpu\n0::/u\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "300000\n"),
        ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ("sys/fs/cgroup/unified/u/cpu.max", "200000 100000\n"),
    ]);
    assert_eq!(cgroup::cpu(root.path()).map(|bound| bound.value), Some(2.0));
}

#[test]
fn broken_files_are_no_limit() {
    for text in ["", "max", "a b", "100000", "100000 0", "0 100000", "-1 100000", "nan 100000"] {
        let root =
            tree(&[MOUNTS2, ("proc/self/cgroup", "0::/\nnonsense\n"), ("sys/fs/cgroup/cpu.max", text)]);
        assert_eq!(cgroup::cpu(root.path()), None, "{text:?}");
    }
}

#[test]
fn the_smaller_of_affinity_and_quota_decides() {
    let quota = |value| Some(Bound { value, file: "/cpu.max".into() });
    for (online, affinity, quota, allowed, reason) in [
        (8, Some(8), None, 8, "all cores"),
        (8, None, None, 8, "all cores"),
        (8, Some(4), None, 4, "affinity to 4 of 8 cores"),
        (8, Some(8), quota(1.5), 2, "cgroup quota of 1.50 cores in /cpu.max"),
        (8, Some(2), quota(3.0), 2, "affinity to 2 of 8 cores"),
        (8, Some(8), quota(0.1), 1, "cgroup quota of 0.10 cores in /cpu.max"),
        (2, Some(2), quota(1.5), 2, "all cores"),
        (1, Some(1), quota(0.5), 1, "all cores"),
        (0, Some(0), None, 1, "all cores"),
    ] {
        let cores = decide(online, affinity, quota);
        assert_eq!((cores.allowed, cores.reason.as_str()), (allowed, reason));
    }
}

#[test]
fn names_of_processors() {
    assert_eq!(process::model_in("processor : 0\nmodel name\t: Fast CPU @ 2GHz\n"), "Fast CPU @ 2GHz");
    assert_eq!(process::model_in("processor : 0\nmodel\t\t: 85\nHardware : Board\n"), "Board");
    assert_eq!(process::model_in(""), "");
}

#[test]
#[cfg(target_os = "linux")]
fn this_machine() {
    let cores = cores();
    assert!(cores.allowed >= 1 && cores.allowed <= cores.online, "{cores:?}");
    // The standard library rounds a quota down.
    assert!(cores.allowed >= std::thread::available_parallelism().unwrap().get(), "{cores:?}");
    let (rss, peak, total) = (rss().unwrap(), peak_rss().unwrap(), memory_total().unwrap());
    assert!(rss > 1 << 20 && rss <= peak && peak < total, "{rss} {peak} {total}");
    let block = vec![1u8; 64 << 20];
    assert!(peak_rss().unwrap() >= rss + (60 << 20), "{}", block.iter().map(|&x| u64::from(x)).sum::<u64>());
}
