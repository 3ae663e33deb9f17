//! What tells the kinds of late-interaction text models apart, as data: a new model is a new value.

/// How a kind of models prepares texts and which vectors it returns.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way of its own in which the kinds differ")]
pub struct LateKind {
    /// Ids of the tokens that say what a text is, put after its first token; `None` where there are none.
    pub markers: Option<Markers>,
    /// Tokens by which the limit is lowered to leave room for the marker. 0 where the limit of the files is
    /// lowered already.
    pub reserved: usize,
    /// How short queries are made longer; `None` where they stay as they are.
    pub expansion: Option<Expansion>,
    /// Whether the rows of punctuation are left out of documents.
    pub skips_punctuation: bool,
    /// Whether rows of the padding token are left out of documents, also where a text itself has it.
    pub skips_padding_token: bool,
    /// Whether documents' vectors are scaled to length 1.
    pub normalizes_documents: bool,
    /// Whether queries' vectors are scaled to length 1.
    pub normalizes_queries: bool,
}

/// Ids of the markers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Markers {
    /// Of queries.
    pub query: u32,
    /// Of documents.
    pub document: u32,
}

/// Queries filled up with a token of their own, whose vectors count as the query's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expansion {
    /// Tokens that a query has at the least, before the marker.
    pub length: usize,
    /// The token it is filled up with.
    pub token: &'static str,
    /// Whether the other tokens may attend to it.
    pub attended: bool,
}

/// Tokens of an expanded query without its marker: 32 with it, as the models were trained.
const QUERY_LENGTH: usize = 31;

impl LateKind {
    /// `colbert-ir/colbertv2.0` and `answerdotai/answerai-colbert-small-v1`.
    pub const COLBERT: Self = Self {
        markers: Some(Markers { query: 1, document: 2 }), // [unused0], [unused1]
        reserved: 1,
        expansion: Some(Expansion { length: QUERY_LENGTH, token: "[MASK]", attended: false }),
        skips_punctuation: true,
        skips_padding_token: true,
        normalizes_documents: true,
        normalizes_queries: false,
    };

    /// `jinaai/jina-colbert-v2`.
    pub const JINA_COLBERT: Self = Self {
        markers: Some(Markers { query: 250_002, document: 250_003 }),
        expansion: Some(Expansion { length: QUERY_LENGTH, token: "<mask>", attended: true }),
        ..Self::COLBERT
    };

    /// `lightonai/LateOn`, whose files give a limit without the marker.
    pub const LATE_ON: Self = Self {
        markers: Some(Markers { query: 50_368, document: 50_369 }),
        reserved: 0,
        expansion: None,
        skips_padding_token: false, // padding reuses the mask token
        normalizes_queries: true,
        ..Self::COLBERT
    };

    /// `lightonai/mLateOn`, to which punctuation matters.
    pub const M_LATE_ON: Self = Self {
        markers: Some(Markers { query: 256_000, document: 256_001 }),
        skips_punctuation: false,
        ..Self::LATE_ON
    };

    /// The raw vector of each token, such as `jinaai/jina-embeddings-v2-small-en-tokens`.
    pub const TOKEN_EMBEDDINGS: Self = Self {
        markers: None,
        reserved: 0,
        expansion: None,
        skips_punctuation: false,
        skips_padding_token: false,
        normalizes_documents: false,
        normalizes_queries: false,
    };
}
