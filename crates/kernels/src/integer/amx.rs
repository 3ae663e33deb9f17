//! Tiles of AMX: two by two of sixteen rows and sixteen columns, 64 bytes deep. The instructions are written as assembly,
//! because stable Rust has no names for them; the compiler never uses the tile registers by itself.

use super::Bytes;
use std::arch::asm;

/// Sums in tile registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tiles(());

impl Tiles {
    /// # Safety
    /// The CPU has AMX with int8, and the system has permitted its use.
    #[inline(always)]
    pub(super) unsafe fn new() -> Self {
        Self(())
    }
}

/// Whether the CPU has AMX with int8 and Linux permits this process to use it. Tile data is large, so a process has to ask; the
/// permission holds for all of its threads.
#[cfg(target_os = "linux")]
pub(crate) fn permitted() -> bool {
    /// `ARCH_REQ_XCOMP_PERM` of `asm/prctl.h`.
    const REQUEST: libc::c_long = 0x1023;
    /// `XFEATURE_XTILEDATA`.
    const TILE_DATA: libc::c_long = 18;
    const TILE: u32 = 1 << 24;
    const INT8: u32 = 1 << 25;
    if std::arch::x86_64::__cpuid(0).eax < 7 {
        return false;
    }
    let edx = std::arch::x86_64::__cpuid_count(7, 0).edx;
    // SAFETY: the call takes two numbers and changes nothing but a permission of the process.
    edx & TILE != 0
        && edx & INT8 != 0
        && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) } == 0
}

/// Other systems have other ways to ask, or none.
#[cfg(not(target_os = "linux"))]
pub(crate) fn permitted() -> bool {
    false
}

/// Shapes of the tile registers: palette 1, and for each register the bytes of a row and the number of rows.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: Config = Config {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

impl Bytes for Tiles {
    const ROWS: usize = 32;
    const COLUMNS: usize = 32;
    const GROUP: usize = 4;
    const DEPTH: usize = 64;

    #[inline(always)]
    fn begin(self) {
        // SAFETY: the token proves AMX, and the configuration is a valid one of 64 bytes.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, preserves_flags)) };
    }

    #[inline(always)]
    fn end(self) {
        // SAFETY: the token proves AMX. Afterwards the system need not save tiles when it switches threads.
        unsafe { asm!("tilerelease", options(nostack, nomem, preserves_flags)) };
    }

    #[inline(always)]
    unsafe fn tile(
        self,
        rows: usize,
        a: *const u8,
        stride: usize,
        depth: usize,
        panel: *const i8,
        out: *mut i32,
    ) {
        // SAFETY: the token proves AMX and `begin` set the shapes. The caller says that a whole tile's rows can be read whatever
        // `rows` is, that the panel is packed for this depth, and that the tile of sums has room for all.
        unsafe {
            if rows > 16 {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "tilezero tmm2",
                    "tilezero tmm3",
                    "2:",
                    "tileloadd tmm4, [{a} + {stride}*1]",
                    "tileloadd tmm6, [{b} + {wide}*1]",
                    "tileloadd tmm7, [{b} + {wide}*1 + 64]",
                    "tdpbusd tmm0, tmm4, tmm6",
                    "tileloadd tmm5, [{a2} + {stride}*1]",
                    "tdpbusd tmm1, tmm4, tmm7",
                    "tdpbusd tmm2, tmm5, tmm6",
                    "tdpbusd tmm3, tmm5, tmm7",
                    "add {a}, 64",
                    "add {a2}, 64",
                    "add {b}, 2048",
                    "dec {k}",
                    "jnz 2b",
                    "tilestored [{out} + {wide}*1], tmm0",
                    "tilestored [{out} + {wide}*1 + 64], tmm1",
                    "tilestored [{out} + {wide}*1 + 2048], tmm2",
                    "tilestored [{out} + {wide}*1 + 2112], tmm3",
                    a = inout(reg) a => _,
                    a2 = inout(reg) a.add(16 * stride) => _,
                    b = inout(reg) panel => _,
                    k = inout(reg) depth / 64 => _,
                    stride = in(reg) stride,
                    wide = in(reg) 128_usize,
                    out = in(reg) out,
                    options(nostack),
                );
            } else {
                asm!(
                    "tilezero tmm0",
                    "tilezero tmm1",
                    "2:",
                    "tileloadd tmm4, [{a} + {stride}*1]",
                    "tileloadd tmm6, [{b} + {wide}*1]",
                    "tileloadd tmm7, [{b} + {wide}*1 + 64]",
                    "tdpbusd tmm0, tmm4, tmm6",
                    "tdpbusd tmm1, tmm4, tmm7",
                    "add {a}, 64",
                    "add {b}, 2048",
                    "dec {k}",
                    "jnz 2b",
                    "tilestored [{out} + {wide}*1], tmm0",
                    "tilestored [{out} + {wide}*1 + 64], tmm1",
                    a = inout(reg) a => _,
                    b = inout(reg) panel => _,
                    k = inout(reg) depth / 64 => _,
                    stride = in(reg) stride,
                    wide = in(reg) 128_usize,
                    out = in(reg) out,
                    options(nostack),
                );
            }
        }
    }
}
