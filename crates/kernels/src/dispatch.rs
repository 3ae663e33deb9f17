//! From a level known at run time to code compiled for it.

/// Makes a module `$name` with a function `run(level, …)` that calls `$generic::<L>(lanes, …)` with the lanes of the level,
/// from a function that is compiled with the level's instructions, so that everything inlined into it may use them.
macro_rules! by_lanes {
    ($(#[$doc:meta])* fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $answer:ty)? = $generic:path) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, clippy::allow_attributes, reason = "some kernels have that many, others have not")]
        fn $name(level: crate::Level, $($arg: $kind),*) $(-> $answer)? {
            assert!(level.is_available(), "the level {level} is not of this machine");
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
                fn wide($($arg: $kind),*) $(-> $answer)? {
                    // SAFETY: this function is only compiled and called with the instructions that the lanes need.
                    let lanes = unsafe { crate::simd::Wide::new() };
                    $generic(lanes, $($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn narrow($($arg: $kind),*) $(-> $answer)? {
                    // SAFETY: as above.
                    let lanes = unsafe { crate::simd::Narrow::new() };
                    $generic(lanes, $($arg),*)
                }
                if level.is_wide() {
                    // SAFETY: the level was found on this machine, and it includes these instructions.
                    return unsafe { wide($($arg),*) };
                }
                if level != crate::Level::Plain {
                    // SAFETY: as above.
                    return unsafe { narrow($($arg),*) };
                }
            }
            $generic(crate::simd::Plain, $($arg),*)
        }
    };
}

pub(crate) use by_lanes;
