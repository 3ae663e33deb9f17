//! An index for exact search, as JavaScript holds it. Its memory is the addon's own, so a search borrows nothing.

use crate::{
    batch::double,
    error::NativeError,
    options::{dtype as parse_dtype, size},
    promise::on_vector_pool,
    quantize::{NativeRanges, NativeValues, copied, in_core, row_number},
};
use millrace_contract::Result;
use millrace_core::quantize::{Hit, Rows, VectorIndex};
use napi::{
    Env,
    bindgen_prelude::{Either, Float32Array, Object, Uint32Array},
};
use napi_derive::napi;
use parking_lot::Mutex;
use std::sync::Arc;

/// Rows for exact search.
#[napi]
pub struct NativeVectorIndex {
    index: Arc<Mutex<VectorIndex>>,
}

/// The rows found, best first.
#[napi(object, object_from_js = false)]
pub struct NativeHits {
    /// Their numbers.
    pub rows: Uint32Array,
    /// Their scores.
    pub scores: Float32Array,
}

/// An index without rows.
#[napi]
pub fn create_vector_index(
    dim: u32,
    dtype: String,
    ranges: Option<NativeRanges>,
) -> Either<NativeVectorIndex, NativeError> {
    let create = move || VectorIndex::new(size(dim), parse_dtype(&dtype)?, in_core(ranges)?);
    match create() {
        Ok(index) => Either::A(NativeVectorIndex { index: Arc::new(Mutex::new(index)) }),
        Err(error) => Either::B(error.into()),
    }
}

fn answer(found: (Vec<u32>, Vec<f32>)) -> NativeHits {
    NativeHits { rows: found.0.into(), scores: found.1.into() }
}

fn columns(hits: &[Hit]) -> Result<(Vec<u32>, Vec<f32>)> {
    let rows: Result<Vec<u32>> = hits.iter().map(|hit| row_number(hit.row)).collect();
    Ok((rows?, hits.iter().map(|hit| hit.score).collect()))
}

impl NativeVectorIndex {
    fn append_rows<'env>(
        &self,
        env: &'env Env,
        rows: impl FnOnce() -> Result<Rows> + Send + 'static,
    ) -> napi::Result<Object<'env>> {
        let index = Arc::clone(&self.index);
        let work = move || {
            let rows = rows()?;
            index.lock().append(&rows);
            Ok(())
        };
        on_vector_pool(env, work, |()| None::<u32>)
    }
}

#[napi]
impl NativeVectorIndex {
    /// Puts float32 vectors behind the other rows; they are searched after `commit`.
    #[napi(ts_return_type = "Promise<null | NativeError>")]
    pub fn append<'env>(&self, env: &'env Env, vectors: &[f32]) -> napi::Result<Object<'env>> {
        let (format, vectors) = (self.index.lock().format(), vectors.to_vec());
        self.append_rows(env, move || format.rows_of(&vectors))
    }

    /// The same with rows that are in the index's format.
    #[napi(ts_return_type = "Promise<null | NativeError>")]
    pub fn append_quantized<'env>(
        &self,
        env: &'env Env,
        #[napi(ts_arg_type = "Float32Array | Uint16Array | Int8Array | Uint8Array")] data: NativeValues,
        scales: Option<Float32Array>,
    ) -> napi::Result<Object<'env>> {
        let (format, values) = (self.index.lock().format(), copied(data));
        let scales = scales.map(|scales| scales.to_vec());
        self.append_rows(env, move || format.rows_from(values, scales.as_deref()))
    }

    /// Makes the appended rows part of what is searched.
    #[napi]
    pub fn commit(&self) {
        self.index.lock().commit();
    }

    /// Takes the appended rows away.
    #[napi]
    pub fn rollback(&self) {
        self.index.lock().rollback();
    }

    /// Removes all rows.
    #[napi]
    pub fn clear(&self) {
        self.index.lock().clear();
    }

    /// Rows that are searched.
    #[napi]
    pub fn length(&self) -> f64 {
        double(self.index.lock().len() as u64)
    }

    /// Bytes of values and scales.
    #[napi]
    pub fn bytes(&self) -> f64 {
        double(self.index.lock().bytes() as u64)
    }

    /// The `limit` best rows.
    #[napi(ts_return_type = "Promise<NativeHits | NativeError>")]
    pub fn search<'env>(&self, env: &'env Env, query: &[f32], limit: u32) -> napi::Result<Object<'env>> {
        let (snapshot, query) = (self.index.lock().snapshot(), query.to_vec());
        on_vector_pool(env, move || columns(&snapshot.search(&query, size(limit))?), answer)
    }

    /// The `limit` best, by their scores in the index `exact`, of this one's `candidates` best.
    #[napi(ts_return_type = "Promise<NativeHits | NativeError>")]
    pub fn search_rescored<'env>(
        &self,
        env: &'env Env,
        query: &[f32],
        candidates: u32,
        limit: u32,
        exact: &NativeVectorIndex,
    ) -> napi::Result<Object<'env>> {
        let (snapshot, query) = (self.index.lock().snapshot(), query.to_vec());
        let exact = exact.index.lock().snapshot();
        let work = move || {
            let hits = snapshot.search(&query, size(candidates))?;
            columns(&exact.rescore(&query, &hits, size(limit))?)
        };
        on_vector_pool(env, work, answer)
    }
}
