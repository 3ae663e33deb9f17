//! Sums of table rows, one for each token.

use crate::{
    onnx::{Kind, Tensor},
    plan::{Index, Lookup},
    texts::{Text, Texts},
};
use millrace_contract::{Error, ErrorKind, Result};

/// Entries of one lookup for the places of a text.
fn entries(lookup: &Lookup, texts: &Texts<'_>, text: &Text) -> Result<Vec<i64>> {
    let row = text.row * texts.padded_len;
    let places = row + text.first..row + text.first + text.len;
    let input = |values: Option<&[i64]>, name: &str| {
        values
            .and_then(|values| values.get(places.clone()))
            .map(<[i64]>::to_vec)
            .ok_or_else(|| Error::new(ErrorKind::InferenceFailed, format!("Expected the input {name}")))
    };
    let whole = |at: usize| i64::try_from(at).unwrap_or(i64::MAX);
    Ok(match lookup.index {
        Index::Ids => texts.ids[places].to_vec(),
        Index::Types => input(texts.types, "token_type_ids")?,
        Index::PositionInput => input(texts.positions, "position_ids")?,
        Index::Positions(from) => (0..text.len).map(|at| from + whole(text.first + at)).collect(),
        Index::Fixed(entry) => vec![entry; text.len],
        Index::CountedPositions { pad, offset } => {
            let mut count = 0;
            texts.ids[row..row + text.first + text.len]
                .iter()
                .map(|id| {
                    count += i64::from(*id != pad);
                    if *id == pad { offset } else { count + offset }
                })
                .skip(text.first)
                .collect()
        }
    })
}

/// Adds (or, for the first lookup, writes) an entry of a table.
fn add(lookup: &Lookup, entry: usize, scale: Option<f32>, out: &mut [f32], first: bool) {
    let (table, width) = (&lookup.table, out.len());
    let range = entry * width..(entry + 1) * width;
    if let (Kind::F32, None) = (table.kind, scale) {
        // The usual case, written so that the compiler makes vectors of it.
        let bytes = table.bytes().get(range.start * 4..range.end * 4).unwrap_or(&[]);
        for (to, bytes) in out.iter_mut().zip(bytes.as_chunks().0) {
            let value = f32::from_le_bytes(*bytes);
            *to = if first { value } else { *to + value };
        }
        return;
    }
    let scale = scale.unwrap_or(1.0);
    let mut at = 0;
    table.floats_at(range, |value| {
        let value = value - lookup.zero;
        out[at] = if first { value * scale } else { value.mul_add(scale, out[at]) };
        at += 1;
    });
}

/// Writes the sum of all lookups for each token to its packed row, `width` floats each.
pub(crate) fn embed(lookups: &[Lookup], texts: &Texts<'_>, out: &mut [f32], width: usize) -> Result<()> {
    for (at, lookup) in lookups.iter().enumerate() {
        let scales = lookup.scale.as_ref().map(Tensor::floats);
        let count = lookup.entries();
        for text in &texts.list {
            for (place, entry) in entries(lookup, texts, text)?.into_iter().enumerate() {
                // Negative numbers count from the end, as ONNX has it.
                let whole = i64::try_from(count).unwrap_or(i64::MAX);
                let entry = usize::try_from(if entry < 0 { entry + whole } else { entry })
                    .ok()
                    .filter(|entry| *entry < count);
                let Some(entry) = entry else {
                    let why = format!("Expected a number below {count} for a table of {:?}", lookup.index);
                    return Err(Error::new(ErrorKind::InferenceFailed, why));
                };
                let scale =
                    scales.as_ref().map(|scales| if scales.len() == 1 { scales[0] } else { scales[entry] });
                let to = (text.start + place) * width;
                add(lookup, entry, scale, &mut out[to..to + width], at == 0);
            }
        }
    }
    Ok(())
}
