//! MUVERA's encoder, as JavaScript holds it.

#![expect(clippy::needless_pass_by_value, reason = "what crosses from JavaScript is owned")]

use crate::{
    batch::{count, double},
    options::{size, whole},
    promise::in_background,
};
use millrace_contract::{Error, ErrorKind, Result};
use millrace_core::muvera::{Muvera, MuveraOptions};
use napi::{
    Env,
    bindgen_prelude::{Float64Array, Int8Array, Object},
};
use napi_derive::napi;
use std::sync::Arc;

/// The measures of an encoding.
#[napi(object, object_to_js = false)]
pub struct NativeMuveraOptions {
    /// Dimensions of the vectors.
    pub dim: u32,
    /// Hyperplanes.
    pub k_sim: Option<u32>,
    /// Dimensions that a cluster is projected to.
    pub dim_proj: Option<u32>,
    /// Repetitions.
    pub r_reps: Option<u32>,
    /// Seed of the random numbers, an unsigned integer.
    pub seed: Option<f64>,
}

/// An encoder.
#[napi]
pub struct NativeMuvera {
    muvera: Arc<Muvera>,
}

/// Draws the random matrices of an encoder, on a thread of its own.
#[napi(ts_return_type = "Promise<NativeMuvera | NativeError>")]
pub fn create_muvera(env: &Env, options: NativeMuveraOptions) -> napi::Result<Object<'_>> {
    let NativeMuveraOptions { dim, k_sim, dim_proj, r_reps, seed } = options;
    let default = MuveraOptions::new(size(dim));
    let options = MuveraOptions {
        k_sim: k_sim.unwrap_or(default.k_sim),
        dim_proj: dim_proj.map_or(default.dim_proj.min(default.dim), size),
        r_reps: r_reps.map_or(default.r_reps, size),
        seed: seed.map_or(default.seed, whole),
        ..default
    };
    in_background(env, move || Muvera::new(options), |muvera| NativeMuvera { muvera: Arc::new(muvera) })
}

fn encode_all(muvera: &Muvera, data: &[f32], offsets: &[u32], query: bool) -> Result<Vec<f64>> {
    let dim = muvera.options().dim;
    let mut encodings = Vec::with_capacity(offsets.len().saturating_sub(1) * muvera.encoding_len());
    for (index, span) in offsets.windows(2).enumerate() {
        let row = data.get(size(span[0]) * dim..size(span[1]) * dim).ok_or_else(|| {
            Error::new(ErrorKind::InputInvalid, "Expected row offsets that fit the vectors").at(index as u64)
        })?;
        let encoding = if query { muvera.query(row) } else { muvera.document(row) };
        encodings.extend(encoding.map_err(|error| error.at(index as u64))?);
    }
    Ok(encodings)
}

#[napi]
impl NativeMuvera {
    /// Values of an encoding.
    #[napi]
    pub fn encoding_len(&self) -> u32 {
        count(self.muvera.encoding_len())
    }

    /// Encodings of several multi-vectors, one after the other: `data` holds vectors, `row_offsets` says with which
    /// vector each row begins and where the last one ends. Works on a thread of its own.
    #[napi(ts_return_type = "Promise<Float64Array | NativeError>")]
    pub fn encode<'env>(
        &self,
        env: &'env Env,
        data: &[f32],
        row_offsets: &[u32],
        query: bool,
    ) -> napi::Result<Object<'env>> {
        let muvera = Arc::clone(&self.muvera);
        let (data, offsets) = (data.to_vec(), row_offsets.to_vec());
        in_background(env, move || encode_all(&muvera, &data, &offsets, query), Float64Array::from)
    }

    /// Normals of the hyperplanes, `[r_reps, dim, k_sim]`.
    #[napi]
    pub fn hyperplanes(&self) -> Float64Array {
        self.muvera.hyperplanes().to_vec().into()
    }

    /// Signs of the projections, `[r_reps, dim, dim_proj]`.
    #[napi]
    pub fn projections(&self) -> Int8Array {
        self.muvera.projections().to_vec().into()
    }

    /// Repetitions, hyperplanes and projected dimensions, in this order, then the seed.
    #[napi]
    pub fn measures(&self) -> Vec<f64> {
        let MuveraOptions { k_sim, dim_proj, r_reps, seed, .. } = self.muvera.options();
        vec![double(r_reps as u64), f64::from(k_sim), double(dim_proj as u64), double(seed)]
    }
}
