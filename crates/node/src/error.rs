//! Errors as data.

use crate::batch::double;
use millrace_contract::Error;
use napi_derive::napi;

/// A failure as data. `index` is the global position of the input it concerns.
#[napi(object)]
pub struct NativeError {
    /// A code of the closed set.
    #[napi(ts_type = "import('../base/errors.js').NativeErrorCode")]
    pub code: String,
    /// The sentence.
    pub message: String,
    /// Position of the input it concerns.
    pub index: Option<f64>,
}

impl From<Error> for NativeError {
    fn from(error: Error) -> Self {
        Self {
            code: error.kind().code().into(),
            message: error.message().into(),
            index: error.index().map(double),
        }
    }
}
