//! The one error type, with a closed set of kinds that cross every boundary as data.

use std::fmt;

/// `Result` with millrace's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a closed set: every boundary maps it with one exhaustive `match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// An option has a value outside what it takes.
    InvalidOption,
    /// The model, or a file it cannot do without, is not there.
    ModelNotFound,
    /// A file of the model is there but broken or contradictory.
    ModelInvalid,
    /// A download failed for good.
    DownloadFailed,
    /// The network was needed while offline was asked for.
    Offline,
    /// No ONNX Runtime library was found.
    RuntimeNotFound,
    /// A library was found, but it is foreign, broken or of the wrong version.
    RuntimeIncompatible,
    /// The device asked for is not there or failed.
    DeviceUnavailable,
    /// An input is longer than the limit, and truncation was not allowed.
    InputTooLong,
    /// An input is of the wrong kind.
    InputInvalid,
    /// An image cannot be decoded or exceeds the limits.
    ImageInvalid,
    /// The caller cancelled.
    Aborted,
    /// A run took longer than allowed and was terminated.
    Timeout,
    /// The bounded queue is full.
    Overloaded,
    /// The model was closed.
    Closed,
    /// Inference failed, or its result is not finite.
    InferenceFailed,
    /// A defect of millrace.
    Internal,
}

impl ErrorKind {
    /// The `code` that users see.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidOption => "INVALID_OPTION",
            Self::ModelNotFound => "MODEL_NOT_FOUND",
            Self::ModelInvalid => "MODEL_INVALID",
            Self::DownloadFailed => "DOWNLOAD_FAILED",
            Self::Offline => "OFFLINE",
            Self::RuntimeNotFound => "RUNTIME_NOT_FOUND",
            Self::RuntimeIncompatible => "RUNTIME_INCOMPATIBLE",
            Self::DeviceUnavailable => "DEVICE_UNAVAILABLE",
            Self::InputTooLong => "INPUT_TOO_LONG",
            Self::InputInvalid => "INPUT_INVALID",
            Self::ImageInvalid => "IMAGE_INVALID",
            Self::Aborted => "ABORTED",
            Self::Timeout => "TIMEOUT",
            Self::Overloaded => "OVERLOADED",
            Self::Closed => "CLOSED",
            Self::InferenceFailed => "INFERENCE_FAILED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error of millrace: a kind, a sentence, and for an input its position in the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    index: Option<u64>,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), index: None }
    }

    /// The same error, said of the input at `index` (0-based, over the whole source).
    #[must_use]
    pub fn at(mut self, index: u64) -> Self {
        self.index = Some(index);
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The sentence, without the code.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Which input it concerns, if one.
    #[must_use]
    pub fn index(&self) -> Option<u64> {
        self.index
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.code(), self.message)
    }
}

impl std::error::Error for Error {}
