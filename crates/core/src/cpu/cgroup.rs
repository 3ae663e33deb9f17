//! Limits of the process's cgroups, of version 1 and 2 and of both at once.
//!
//! Every function takes the root that `/proc` and the mounts are looked up under: `/`, or a test's own tree.

use super::Bound;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// From here on a version 1 memory limit means none: the kernel writes the largest multiple of a page.
const UNLIMITED_BYTES: u64 = 1 << 62;

/// CPU time in cores: the smallest quota on the way from the process's cgroup to the top of its mount.
pub(super) fn cpu(root: &Path) -> Option<Bound<f64>> {
    let quota = |quota: &str, period: &str| {
        let (quota, period): (f64, f64) = (quota.parse().ok()?, period.parse().ok()?);
        (quota > 0.0 && period > 0.0).then(|| quota / period) // -1 stands for no quota
    };
    smallest(
        root,
        "cpu",
        |dir| {
            let file = dir.join("cpu.max");
            let text = fs::read_to_string(&file).ok()?;
            let (most, period) = text.trim().split_once(' ')?;
            Some(Bound { value: quota(most, period)?, file })
        },
        |dir| {
            let file = dir.join("cpu.cfs_quota_us");
            let most = fs::read_to_string(&file).ok()?;
            let period = fs::read_to_string(dir.join("cpu.cfs_period_us")).ok()?;
            Some(Bound { value: quota(most.trim(), period.trim())?, file })
        },
    )
}

/// Memory in bytes, likewise.
pub(super) fn memory(root: &Path) -> Option<Bound<u64>> {
    let bytes = |file: PathBuf| {
        let value: u64 = fs::read_to_string(&file).ok()?.trim().parse().ok()?; // "max" is no number
        (value < UNLIMITED_BYTES).then_some(Bound { value, file })
    };
    smallest(
        root,
        "memory",
        |dir| bytes(dir.join("memory.max")),
        |dir| bytes(dir.join("memory.limit_in_bytes")),
    )
}

fn smallest<T: PartialOrd>(
    root: &Path,
    controller: &str,
    version2: impl Fn(&Path) -> Option<Bound<T>>,
    version1: impl Fn(&Path) -> Option<Bound<T>>,
) -> Option<Bound<T>> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mounts = fs::read_to_string(root.join("proc/self/mountinfo")).ok()?;
    let mut least: Option<Bound<T>> = None;
    for mount in mounts.lines().filter_map(Mount::parse) {
        let Some(group) = groups.lines().find_map(|line| mount.group(line, controller)) else { continue };
        for dir in mount.way_up(root, group) {
            let bound = if mount.version2 { version2(&dir) } else { version1(&dir) };
            if let Some(bound) = bound
                && least.as_ref().is_none_or(|least| bound.value < least.value)
            {
                least = Some(bound);
            }
        }
    }
    least
}

/// A line of mountinfo that mounts cgroups.
struct Mount {
    version2: bool,
    /// The cgroup that is seen at the mount point.
    top: PathBuf,
    point: PathBuf,
    /// Version 1: the controllers, among other options.
    options: String,
}

impl Mount {
    /// `id parent device top point options [tags] - type source super-options`.
    fn parse(line: &str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (top, point) = (unescaped(before.next()?), unescaped(before.next()?));
        let mut after = after.split(' ');
        let kind = after.next()?;
        let version2 = kind == "cgroup2";
        (version2 || kind == "cgroup").then(|| Self {
            version2,
            top: top.into(),
            point: point.into(),
            options: after.nth(1).unwrap_or_default().to_owned(),
        })
    }

    /// The process's cgroup of this mount, if `line` of `/proc/self/cgroup` tells: `id:controllers:path`.
    fn group<'a>(&self, line: &'a str, controller: &str) -> Option<&'a str> {
        let mut parts = line.splitn(3, ':');
        let (id, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let has = |list: &str| list.split(',').any(|name| name == controller);
        let ours = if self.version2 {
            id == "0" && controllers.is_empty()
        } else {
            has(controllers) && has(&self.options)
        };
        ours.then_some(path)
    }

    /// The directories of `group` and its parents as far as they are visible, the innermost first.
    fn way_up(&self, root: &Path, group: &str) -> Vec<PathBuf> {
        let point = root.join(self.point.strip_prefix("/").unwrap_or(&self.point));
        // Where the group lies outside of what is mounted (a container that sees its host's path), the mount
        // point itself is the innermost that can be seen.
        let inside = Path::new(group).strip_prefix(&self.top).unwrap_or(Path::new(""));
        let leaves = inside.components().any(|part| matches!(part, std::path::Component::ParentDir));
        let mut dirs = Vec::new();
        if !leaves {
            let mut relative = Some(inside);
            while let Some(path) = relative.filter(|path| !path.as_os_str().is_empty()) {
                dirs.push(point.join(path));
                relative = path.parent();
            }
        }
        dirs.push(point);
        dirs
    }
}

/// The kernel writes blanks and backslashes of paths as three octal digits.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code {
            out.push(char::from(code));
            out.push_str(&part[3..]);
        } else {
            out.push('\\');
            out.push_str(part);
        }
    }
    out
}
