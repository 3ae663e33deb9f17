//! Headers of shared libraries, read before the system's loader sees the file: a foreign or cut library is
//! told apart by its bytes, since loading a cut ELF file ends the process with a bus error. Not a full parser.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Longest header part read in one go. Program headers of real libraries take under 1 KiB; a file that
/// claims more than this is broken.
const MAX_TABLE: usize = 64 * 1024;

/// Checks that `file` is a whole shared library of this system and processor, else says what it is.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|error| format!("cannot be read ({error})"))?;
    let length = file.metadata().map_err(|error| format!("cannot be read ({error})"))?.len();
    let mut head = [0_u8; 64];
    let got = read_up_to(&mut file, &mut head).map_err(|error| format!("cannot be read ({error})"))?;
    let head = &head[..got];
    match head {
        [0x7f, b'E', b'L', b'F', ..] if cfg!(target_os = "linux") => elf(&mut file, head, length),
        [0x7f, b'E', b'L', b'F', ..] => Err("a Linux library, not one of this system".into()),
        [0xcf, 0xfa, 0xed, 0xfe, ..] if cfg!(target_os = "macos") => {
            machine(u32_at(head, 4), &[("x86_64", 0x0100_0007), ("aarch64", 0x0100_000c)])
        }
        // A fat file holds several processors; the loader picks.
        [0xca, 0xfe, 0xba, 0xbe, ..] if cfg!(target_os = "macos") => Ok(()),
        [0xcf, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            Err("a macOS library, not one of this system".into())
        }
        [b'M', b'Z', ..] if cfg!(target_os = "windows") => pe(&mut file, head),
        [b'M', b'Z', ..] => Err("a Windows library, not one of this system".into()),
        [] => Err("not a shared library (empty file)".into()),
        _ if head.iter().all(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()) => {
            Err("not a shared library (a text file)".into())
        }
        _ => Err("not a shared library".into()),
    }
}

/// 64-bit ELF: class, byte order, kind, machine, and that every loaded segment lies inside the file.
fn elf(file: &mut File, head: &[u8], length: u64) -> Result<(), String> {
    let cut = || format!("a cut library (the file ends at {length} bytes)");
    if head.len() < 64 {
        return Err(cut());
    }
    if head[4] != 2 || head[5] != 1 {
        return Err("a library of a foreign architecture (not 64-bit little-endian)".into());
    }
    machine(u32::from(u16_at(head, 18)), &[("x86_64", 62), ("aarch64", 183)])?;
    // ET_DYN
    if u16_at(head, 16) != 3 {
        return Err("an ELF file, but not a shared library".into());
    }
    let (table, entry, count) =
        (u64_at(head, 32), usize::from(u16_at(head, 54)), usize::from(u16_at(head, 56)));
    let size = entry * count;
    if entry < 56 || size > MAX_TABLE {
        return Err("a broken ELF header".into());
    }
    let mut bytes = vec![0; size];
    file.seek(SeekFrom::Start(table)).and_then(|_| file.read_exact(&mut bytes)).map_err(|_| cut())?;
    for header in bytes.chunks_exact(entry) {
        let loaded = u32_at(header, 0) == 1; // PT_LOAD
        let end = u64_at(header, 8).checked_add(u64_at(header, 32)); // p_offset + p_filesz
        if loaded && end.is_none_or(|end| end > length) {
            return Err(cut());
        }
    }
    Ok(())
}

/// Windows PE: the machine behind the DOS stub.
fn pe(file: &mut File, head: &[u8]) -> Result<(), String> {
    let broken = || "a broken Windows library".to_owned();
    let offset = head.get(60..64).map(|_| u32_at(head, 60)).ok_or_else(broken)?;
    let mut bytes = [0_u8; 6];
    file.seek(SeekFrom::Start(u64::from(offset)))
        .and_then(|_| file.read_exact(&mut bytes))
        .map_err(|_| broken())?;
    if &bytes[..4] != b"PE\0\0" {
        return Err(broken());
    }
    machine(u32::from(u16_at(&bytes, 4)), &[("x86_64", 0x8664), ("aarch64", 0xaa64)])
}

/// Compares a file's machine number with this processor's in `known`.
fn machine(found: u32, known: &[(&str, u32)]) -> Result<(), String> {
    let here = std::env::consts::ARCH;
    match known.iter().find(|(_, number)| *number == found) {
        Some((name, _)) if *name == here => Ok(()),
        Some((name, _)) => Err(format!("a library of a foreign architecture ({name}, here is {here})")),
        None => Err(format!("a library of a foreign architecture (machine {found}, here is {here})")),
    }
}

fn read_up_to(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while got < buffer.len() {
        match file.read(&mut buffer[got..])? {
            0 => break,
            n => got += n,
        }
    }
    Ok(got)
}

// The three readers below are called with positions inside what was read; short input reads as zeros.
fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..at + N).and_then(|b| b.try_into().ok()).unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}
