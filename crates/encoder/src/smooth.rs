//! Smoothing of activations before they are rounded to bytes: each channel of a norm's result is divided by a number, and the
//! weights that it meets are multiplied by the same. The divisors come from a few sentences that are run once, unsmoothed.

/// Where a smoothed value is read: by a layer's queries, keys and values, or by its inner product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) layer: usize,
    pub(crate) inner: bool,
}

/// Divisors for each site of a model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Smoothing {
    /// For each layer two lists: of queries, keys and values, and of the inner product.
    sites: Vec<Vec<f32>>,
}

/// Sentences of several kinds and topics, whose activations say how channels differ. Any hundred would do: with other ones
/// the cosines to fp32 change in the fifth digit.
pub const SENTENCES: &str = include_str!("sentences.txt");

/// Divisors beyond these would take more digits from weights than they give to activations.
const LEAST: f32 = 0.02;
const GREATEST: f32 = 50.0;

impl Smoothing {
    pub(crate) fn at(&self, site: Site) -> Option<&[f32]> {
        self.sites
            .get(2 * site.layer + usize::from(site.inner))
            .map(Vec::as_slice)
            .filter(|list| !list.is_empty())
    }

    /// Sets the divisors of a site from the greatest magnitudes of activations and weights, channel by channel: the root of the one over
    /// the root of the other, so that both end up as uneven as each other.
    pub(crate) fn set(&mut self, site: Site, activations: &[f32], weights: &[f32]) {
        let at = 2 * site.layer + usize::from(site.inner);
        if self.sites.len() <= at {
            self.sites.resize(at + 1, Vec::new());
        }
        self.sites[at] = activations
            .iter()
            .zip(weights)
            .map(|(activation, weight)| {
                let by = (activation / weight.max(1e-10)).sqrt();
                if by.is_finite() { by.clamp(LEAST, GREATEST) } else { 1.0 }
            })
            .collect();
    }

    /// The divisors as bytes, to be kept beside a model: for each list its length and its numbers, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for list in &self.sites {
            bytes.extend(u32::try_from(list.len()).unwrap_or(0).to_le_bytes());
            bytes.extend(list.iter().flat_map(|x| x.to_le_bytes()));
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote; `None` when it is cut or holds what no divisor can be.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let mut sites = Vec::new();
        while !bytes.is_empty() {
            let (len, rest) = bytes.split_first_chunk()?;
            let len = usize::try_from(u32::from_le_bytes(*len)).ok()?.checked_mul(4)?;
            let (list, rest) = rest.split_at_checked(len)?;
            let list: Vec<f32> = list.as_chunks().0.iter().map(|x| f32::from_le_bytes(*x)).collect();
            if list.iter().any(|x| !(LEAST..=GREATEST).contains(x)) {
                return None;
            }
            sites.push(list);
            bytes = rest;
        }
        Some(Self { sites })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_back() {
        let mut smoothing = Smoothing::default();
        smoothing.set(Site { layer: 1, inner: true }, &[4.0, 0.0], &[1.0, 1.0]);
        assert_eq!(smoothing.at(Site { layer: 1, inner: true }), Some(&[2.0, LEAST][..]));
        assert_eq!(smoothing.at(Site { layer: 0, inner: false }), None);
        let bytes = smoothing.to_bytes();
        assert_eq!(Smoothing::from_bytes(&bytes), Some(smoothing));
        assert_eq!(Smoothing::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Smoothing::from_bytes(&[255; 9]), None);
    }
}
