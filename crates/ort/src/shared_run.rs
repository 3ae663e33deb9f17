//! The one call that `ort` does not offer: `Run` on a session that several threads share.

use ort::{
    AsPointer,
    session::{RunOptions, Session},
    value::DynValue,
};
use std::{
    ffi::{CStr, c_char},
    ptr::{self, NonNull},
};

/// Runs `session` over `inputs` and returns the `outputs`, in that order.
///
/// # Safety
///
/// - Every pointer of `inputs` is a live `OrtValue` until this returns, and its buffer is not written to.
/// - Either `session` has no execution provider but the CPU's, or no other thread runs it meanwhile.
pub(crate) unsafe fn run(
    session: &Session,
    options: &RunOptions,
    inputs: &[(&CStr, *const ort_sys::OrtValue)],
    outputs: &[&CStr],
) -> ort::Result<Vec<DynValue>> {
    let input_names: Vec<*const c_char> = inputs.iter().map(|(name, _)| name.as_ptr()).collect();
    let values: Vec<*const ort_sys::OrtValue> = inputs.iter().map(|(_, value)| *value).collect();
    let output_names: Vec<*const c_char> = outputs.iter().map(|name| name.as_ptr()).collect();
    let mut results = vec![ptr::null_mut::<ort_sys::OrtValue>(); outputs.len()];
    // SAFETY:
    // - The session pointer is valid while `session` is borrowed. `ort` keeps `Session::run` behind `&mut`
    //   because some execution providers' allocators are not safe under concurrent runs. ONNX Runtime
    //   documents `OrtApi::Run` as callable from several threads on one session, and the CPU provider keeps
    //   to it: kernels are const, its arena and the session's caches lock, each run has an execution frame
    //   of its own. The caller promises that nothing but the CPU provider is shared.
    // - Names are NUL-terminated and, like the values, alive through this call; the four arrays have the
    //   lengths that are passed. A null in `results` makes ONNX Runtime allocate that output.
    // - `options` may be terminated from another thread meanwhile; that is what its flag is for.
    let status = unsafe {
        (ort::api().Run)(
            session.ptr().cast_mut(),
            options.ptr(),
            input_names.as_ptr(),
            values.as_ptr(),
            values.len(),
            output_names.as_ptr(),
            output_names.len(),
            results.as_mut_ptr(),
        )
    };
    // Wrapped before the status is looked at, so that outputs of a failed run are freed too.
    let results: Vec<Option<DynValue>> = results
        .into_iter()
        .map(|value| {
            // SAFETY: a non-null entry is an OrtValue that Run gave us to own; it was allocated by the
            // session's allocator, which callers keep alive longer than the values by holding the session.
            NonNull::new(value).map(|value| unsafe { DynValue::from_ptr(value, Some(session.allocator())) })
        })
        .collect();
    // SAFETY: the status comes from the API and is consumed here, once.
    unsafe { ort::Error::result_from_status(status) }?;
    results
        .into_iter()
        .map(|value| value.ok_or_else(|| ort::Error::new("Run succeeded without giving an output")))
        .collect()
}
