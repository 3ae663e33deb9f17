//! MUVERA: a multi-vector as one vector whose dot product approximates late interaction's score.
//!
//! Vectors are sorted into clusters by random hyperplanes, several times over; a query is the sum and a document the
//! mean of each cluster, projected by random signs. The random numbers are NumPy's, so the encodings equal
//! FastEmbed's. Nothing here knows where the vectors come from.

mod random;
mod tables;

use millrace_contract::{Error, ErrorKind, Result};
use random::{Random, Ziggurat};

/// Most hyperplanes: 65,536 clusters, of which a text fills a few hundred at the most.
const MOST_HYPERPLANES: u32 = 16;

/// Most values of an encoding, 1 GiB: beyond it the options are a mistake.
const MOST_VALUES: usize = 1 << 27;

/// The measures of an encoding. The same ones, and the same seed, make encodings comparable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MuveraOptions {
    /// Dimensions of the vectors.
    pub dim: usize,
    /// Hyperplanes; they make `2^k_sim` clusters.
    pub k_sim: u32,
    /// Dimensions that a cluster is projected to, at most `dim`; with `dim` itself nothing is projected.
    pub dim_proj: usize,
    /// How often all is done, with other random numbers.
    pub r_reps: usize,
    /// Seed of the random numbers.
    pub seed: u64,
}

impl MuveraOptions {
    /// FastEmbed's measures for vectors of `dim` dimensions.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, k_sim: 5, dim_proj: 16, r_reps: 20, seed: 42 }
    }
}

/// An encoder.
#[derive(Debug)]
pub struct Muvera {
    options: MuveraOptions,
    /// Normals of the hyperplanes, `[r_reps, dim, k_sim]`.
    hyperplanes: Vec<f64>,
    /// Signs, `[r_reps, dim, dim_proj]`.
    projections: Vec<i8>,
}

/// The occupied clusters of one repetition, by ascending number.
struct Clusters {
    numbers: Vec<usize>,
    /// Vectors in each.
    counts: Vec<f64>,
    /// The first vector of each.
    first: Vec<usize>,
    /// Sums, `[occupied, dim]`.
    sums: Vec<f64>,
}

impl Muvera {
    /// Draws the random matrices. [`ErrorKind::InvalidOption`] for measures that make no encoding.
    pub fn new(options: MuveraOptions) -> Result<Self> {
        let MuveraOptions { dim, k_sim, dim_proj, r_reps, seed } = options;
        let expected = |what: String| Err(Error::new(ErrorKind::InvalidOption, what));
        if dim == 0 {
            return expected("Expected a positive integer for dim but received 0".to_owned());
        }
        if dim_proj == 0 || dim_proj > dim {
            return expected(format!(
                "Expected an integer from 1 to {dim} (the dimensions) for dimProj but received {dim_proj}"
            ));
        }
        if k_sim > MOST_HYPERPLANES {
            return expected(format!("Expected at most {MOST_HYPERPLANES} for kSim but received {k_sim}"));
        }
        if r_reps == 0 {
            return expected("Expected a positive integer for rReps but received 0".to_owned());
        }
        let values = r_reps.checked_mul(dim_proj).and_then(|n| n.checked_mul(1 << k_sim));
        let drawn = r_reps.checked_mul(dim).and_then(|n| n.checked_mul(dim_proj.max(k_sim as usize)));
        if [values, drawn].iter().any(|count| count.is_none_or(|count| count > MOST_VALUES)) {
            return expected(format!(
                "Expected smaller kSim, dimProj and rReps but received {k_sim}, {dim_proj} and {r_reps}: the \
                 encoding would have more than {MOST_VALUES} values"
            ));
        }
        let (mut random, ziggurat) = (Random::new(seed), Ziggurat::new());
        let normals = r_reps * dim * k_sim as usize;
        let hyperplanes = (0..normals).map(|_| ziggurat.normal(&mut random)).collect();
        let projections = (0..r_reps * dim * dim_proj).map(|_| random.sign()).collect();
        Ok(Self { options, hyperplanes, projections })
    }

    /// Values of an encoding: `r_reps * 2^k_sim * dim_proj`.
    #[must_use]
    pub fn encoding_len(&self) -> usize {
        self.options.r_reps * self.clusters() * self.options.dim_proj
    }

    /// The measures.
    #[must_use]
    pub fn options(&self) -> MuveraOptions {
        self.options
    }

    /// Normals of the hyperplanes, `[r_reps, dim, k_sim]`.
    #[must_use]
    pub fn hyperplanes(&self) -> &[f64] {
        &self.hyperplanes
    }

    /// Signs of the projections, `[r_reps, dim, dim_proj]`.
    #[must_use]
    pub fn projections(&self) -> &[i8] {
        &self.projections
    }

    /// Encodes a query's vectors, `[n, dim]` row-major: the sum of each cluster, zero for empty ones.
    ///
    /// [`ErrorKind::InputInvalid`] for no vectors, for values that are no whole vectors or not finite.
    pub fn query(&self, vectors: &[f32]) -> Result<Vec<f64>> {
        self.encode(vectors, false)
    }

    /// Encodes a document's vectors, `[n, dim]` row-major: the mean of each cluster; an empty one is the first vector
    /// of the occupied cluster whose number differs in the fewest bits, the lowest of several. Errors as those of
    /// [`query`](Self::query).
    pub fn document(&self, vectors: &[f32]) -> Result<Vec<f64>> {
        self.encode(vectors, true)
    }

    fn clusters(&self) -> usize {
        1 << self.options.k_sim
    }

    fn encode(&self, vectors: &[f32], document: bool) -> Result<Vec<f64>> {
        let MuveraOptions { dim, dim_proj, r_reps, .. } = self.options;
        let invalid = |why: String| Err(Error::new(ErrorKind::InputInvalid, why));
        if vectors.is_empty() {
            return invalid("Expected at least one vector but received none".to_owned());
        }
        if !vectors.len().is_multiple_of(dim) {
            return invalid(format!(
                "Expected vectors of {dim} dimensions but received {} values",
                vectors.len()
            ));
        }
        if !vectors.iter().all(|value| value.is_finite()) {
            return invalid("Expected finite vectors but received a value that is not finite".to_owned());
        }
        let vectors: Vec<f64> = vectors.iter().copied().map(f64::from).collect();
        let mut encoding = vec![0.0; self.encoding_len()];
        for (repetition, part) in (0..r_reps).zip(encoding.chunks_exact_mut(self.clusters() * dim_proj)) {
            let mut occupied = self.sort(&vectors, repetition);
            if document {
                for (sum, count) in occupied.sums.chunks_exact_mut(dim).zip(&occupied.counts) {
                    for value in sum {
                        *value /= count;
                    }
                }
            }
            for (&number, center) in occupied.numbers.iter().zip(occupied.sums.chunks_exact(dim)) {
                self.project(center, repetition, &mut part[number * dim_proj..][..dim_proj]);
            }
            if document {
                self.fill(&vectors, &occupied, repetition, part);
            }
        }
        Ok(encoding)
    }

    /// Sorts the vectors into clusters.
    fn sort(&self, vectors: &[f64], repetition: usize) -> Clusters {
        let MuveraOptions { dim, k_sim, .. } = self.options;
        let planes = k_sim as usize;
        let hyperplanes = &self.hyperplanes[repetition * dim * planes..][..dim * planes];
        let mut side = vec![0.0; planes];
        let mut number = |vector: &[f64]| {
            side.fill(0.0);
            for (&x, normals) in vector.iter().zip(hyperplanes.chunks_exact(planes.max(1))) {
                side.iter_mut().zip(normals).for_each(|(side, normal)| *side += x * normal);
            }
            side.iter().rev().fold(0, |number, &side| number << 1 | usize::from(side > 0.0))
        };
        let mut members: Vec<(usize, usize)> =
            vectors.chunks_exact(dim).enumerate().map(|(at, vector)| (number(vector), at)).collect();
        members.sort_unstable();
        let mut clusters =
            Clusters { numbers: Vec::new(), counts: Vec::new(), first: Vec::new(), sums: Vec::new() };
        for (number, at) in members {
            if clusters.numbers.last() != Some(&number) {
                clusters.numbers.push(number);
                clusters.counts.push(0.0);
                clusters.first.push(at);
                clusters.sums.resize(clusters.sums.len() + dim, 0.0);
            }
            let start = clusters.sums.len() - dim;
            let vector = &vectors[at * dim..][..dim];
            clusters.sums[start..].iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
            if let Some(count) = clusters.counts.last_mut() {
                *count += 1.0;
            }
        }
        clusters
    }

    /// Writes a vector's projection.
    fn project(&self, vector: &[f64], repetition: usize, to: &mut [f64]) {
        let MuveraOptions { dim, dim_proj, .. } = self.options;
        if dim_proj == dim {
            to.copy_from_slice(vector);
            return;
        }
        let signs = &self.projections[repetition * dim * dim_proj..][..dim * dim_proj];
        for (&x, signs) in vector.iter().zip(signs.chunks_exact(dim_proj)) {
            to.iter_mut().zip(signs).for_each(|(to, &sign)| *to += x * f64::from(sign));
        }
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let scale = 1.0 / (dim_proj as f64).sqrt();
        for to in to {
            *to *= scale;
        }
    }

    /// Gives the empty clusters the first vector of their nearest neighbour.
    fn fill(&self, vectors: &[f64], occupied: &Clusters, repetition: usize, part: &mut [f64]) {
        let MuveraOptions { dim, dim_proj, .. } = self.options;
        let mut projected = vec![0.0; occupied.numbers.len() * dim_proj];
        for (&first, to) in occupied.first.iter().zip(projected.chunks_exact_mut(dim_proj)) {
            self.project(&vectors[first * dim..][..dim], repetition, to);
        }
        for (number, to) in part.chunks_exact_mut(dim_proj).enumerate() {
            if occupied.numbers.binary_search(&number).is_ok() {
                continue;
            }
            let distances = occupied.numbers.iter().map(|other| (number ^ other).count_ones());
            // The first of equals, which has the lowest number.
            if let Some((nearest, _)) = distances.enumerate().min_by_key(|&(_, distance)| distance) {
                to.copy_from_slice(&projected[nearest * dim_proj..][..dim_proj]);
            }
        }
    }
}
