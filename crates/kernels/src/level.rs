//! Which instructions are used: what the CPU has, or a lower choice that `MILLRACE_KERNELS` names.

use std::{fmt, str::FromStr, sync::OnceLock};

/// A set of instructions, from the one that every machine has to the fastest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Rust without vector instructions of its own: the twin that all others are compared with.
    Plain,
    /// AVX2 and FMA; integer products of values widened to 16 bits (`vpmaddwd`), which is exact.
    Avx2,
    /// AVX2, FMA, and `vpdpbusd` on 256 bits.
    AvxVnni,
    /// AVX-512 F, BW, DQ and VL; integer products by `vpmaddwd` on 512 bits.
    Avx512,
    /// AVX-512 with `vpdpbusd` on 512 bits.
    Avx512Vnni,
    /// AVX-512, and integer products by AMX tiles.
    Amx,
}

/// A name that is not one of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownLevel(String);

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Level::ALL.map(Level::name).join(", ");
        write!(f, "Expected one of {names} for MILLRACE_KERNELS but received {}", self.0)
    }
}

impl std::error::Error for UnknownLevel {}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == name).ok_or_else(|| UnknownLevel(name.into()))
    }
}

impl Level {
    /// All levels, the slowest first.
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Avx2, Self::AvxVnni, Self::Avx512, Self::Avx512Vnni, Self::Amx];

    /// The name that `MILLRACE_KERNELS` takes and `info()` shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avxvnni",
            Self::Avx512 => "avx512",
            Self::Avx512Vnni => "avx512vnni",
            Self::Amx => "amx",
        }
    }

    /// Whether this machine can run the level.
    #[must_use]
    pub fn is_available(self) -> bool {
        static AVAILABLE: OnceLock<[bool; 6]> = OnceLock::new();
        AVAILABLE.get_or_init(|| Self::ALL.map(Self::detect))[self as usize]
    }

    /// The levels that this machine can run, the slowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// The fastest level that this machine can run.
    #[must_use]
    pub fn best() -> Self {
        Self::available().last().unwrap_or(Self::Plain)
    }

    /// The level to use: the best one, or the one that the environment variable `MILLRACE_KERNELS` names. A level that the
    /// machine lacks counts as the best one below it. The variable is read once a process.
    ///
    /// # Errors
    /// The variable holds a name that no level has.
    pub fn chosen() -> Result<Self, UnknownLevel> {
        static CHOSEN: OnceLock<Result<Level, UnknownLevel>> = OnceLock::new();
        CHOSEN
            .get_or_init(|| match std::env::var("MILLRACE_KERNELS") {
                Ok(name) if !name.is_empty() => {
                    let wanted: Self = name.parse()?;
                    Ok(Self::available().filter(|level| *level <= wanted).last().unwrap_or(Self::Plain))
                }
                _ => Ok(Self::best()),
            })
            .clone()
    }

    /// Whether the level multiplies bytes faster than floats by an instruction made for it.
    #[must_use]
    pub const fn has_integer_dot(self) -> bool {
        matches!(self, Self::AvxVnni | Self::Avx512Vnni | Self::Amx)
    }

    /// Whether floats lie in registers of 512 bits.
    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Avx512 | Self::Avx512Vnni | Self::Amx)
    }

    #[cfg(target_arch = "x86_64")]
    fn detect(self) -> bool {
        let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = avx2
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl");
        match self {
            Self::Plain => true,
            Self::Avx2 => avx2,
            Self::AvxVnni => avx2 && is_x86_feature_detected!("avxvnni"),
            Self::Avx512 => avx512,
            Self::Avx512Vnni => avx512 && is_x86_feature_detected!("avx512vnni"),
            Self::Amx => avx512 && crate::integer::amx_permitted(),
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn detect(self) -> bool {
        self == Self::Plain
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for level in Level::ALL {
            assert_eq!(level.name().parse(), Ok(level));
        }
        let said = "sse9".parse::<Level>().unwrap_err().to_string();
        assert!(said.contains("avx512vnni") && said.ends_with("sse9"), "{said}");
    }

    #[test]
    fn plain_is_always_there() {
        assert!(Level::Plain.is_available());
        assert!(Level::best() >= Level::Plain);
    }
}
