//! Giving freed memory back to the system. Not an allocator.

/// Returns free heap pages to the system, where the C library keeps them otherwise (glibc). Elsewhere a no-op.
///
/// Worth a call after a load and after a backend was dropped: glibc keeps what free lists hold until asked.
pub fn release_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim takes a number and is safe to call from any thread (MT-Safe in its manual).
    unsafe {
        libc::malloc_trim(0);
    }
}
