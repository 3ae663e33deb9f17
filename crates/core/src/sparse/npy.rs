//! Reading NumPy's `.npy` format as far as a stack of float32 matrices needs it.
//!
//! The file is mapped, not read: a text needs a few of tens of thousands of matrices.

use crate::model::json::{invalid, missing};
use memmap2::Mmap;
use millrace_contract::Result;
use std::{fs::File, io, path::Path};

/// `count` matrices of `rows` x `columns` float32 values.
#[derive(Debug)]
pub(super) struct Matrices {
    map: Mmap,
    /// Where the values begin.
    start: usize,
    pub(super) count: usize,
    pub(super) rows: usize,
    pub(super) columns: usize,
}

impl Matrices {
    /// Opens a file of three dimensions, `<f4`, in C order.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => missing(path),
            _ => invalid(path, format_args!("cannot be read: {error}")),
        };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.len() == 0 {
            return Err(invalid(path, "an empty file, not a NumPy array"));
        }
        // SAFETY: model files are written once and replaced by renaming; one that is cut in place while it is mapped
        // would end the process, as it does for the graph's own weights.
        let map = unsafe { Mmap::map(&file) }.map_err(unreadable)?;
        let (start, [count, rows, columns]) = header(&map).map_err(|why| invalid(path, why))?;
        let bytes = [rows, columns, 4].iter().try_fold(count, |bytes, &by| bytes.checked_mul(by));
        if bytes != Some(map.len() - start) || rows == 0 || columns == 0 {
            return Err(invalid(
                path,
                format_args!("the shape {count} x {rows} x {columns} is not its size"),
            ));
        }
        Ok(Self { map, start, count, rows, columns })
    }

    /// `vector` times the matrix number `index`; `None` past the last one. `vector` has `rows` values.
    pub(super) fn times(&self, vector: &[f64], index: usize) -> Option<Vec<f64>> {
        if index >= self.count || vector.len() != self.rows {
            return None;
        }
        let size = self.rows * self.columns * 4;
        let bytes = self.map.get(self.start + index * size..)?.get(..size)?;
        let mut product = vec![0.0; self.columns];
        let rows = bytes.chunks_exact(self.columns * 4);
        for (x, row) in vector.iter().zip(rows) {
            for (sum, weight) in product.iter_mut().zip(row.as_chunks::<4>().0) {
                *sum += x * f64::from(f32::from_le_bytes(*weight));
            }
        }
        Some(product)
    }
}

/// Where the values begin, and the shape.
fn header(bytes: &[u8]) -> Result<(usize, [usize; 3]), String> {
    const MAGIC: &[u8] = b"\x93NUMPY";
    let rest = bytes.strip_prefix(MAGIC).ok_or("not a NumPy array")?;
    let (length, before) = match *rest {
        [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 10),
        [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
        _ => return Err("a version of the NumPy format that is not known".to_owned()),
    };
    let text = bytes.get(before..).and_then(|rest| rest.get(..length)).ok_or("its header is cut off")?;
    let text = std::str::from_utf8(text).map_err(|error| format!("its header is no text: {error}"))?;
    let dtype = value(text, "descr")?;
    if !dtype.starts_with("'<f4'") {
        return Err(format!("expected values of type '<f4', not {}", dtype.split(',').next().unwrap_or("")));
    }
    if !value(text, "fortran_order")?.starts_with("False") {
        return Err("expected values in C order".to_owned());
    }
    let shape = value(text, "shape")?;
    let numbers = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(inside, _)| inside);
    let numbers: Option<Vec<usize>> = numbers.and_then(|inside| {
        inside.split(',').map(str::trim).filter(|n| !n.is_empty()).map(|n| n.parse().ok()).collect()
    });
    let shape = numbers.and_then(|numbers| <[usize; 3]>::try_from(numbers).ok());
    Ok((before + length, shape.ok_or("expected three dimensions")?))
}

/// What follows a key of the header's dictionary.
fn value<'a>(header: &'a str, key: &str) -> Result<&'a str, String> {
    let quoted = format!("'{key}':");
    header.split_once(&quoted).map(|(_, rest)| rest.trim_start()).ok_or(format!("its header has no {key}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn file(header: &str, values: &[f32]) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.npy");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        fs::write(&path, bytes).unwrap();
        (dir, path)
    }

    const GOOD: &str = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3, 1), }\n";

    #[test]
    fn multiplies_with_the_matrix_of_an_index() {
        let (_dir, path) = file(GOOD, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let matrices = Matrices::open(&path).unwrap();
        assert_eq!(matrices.times(&[1.0, 10.0, 100.0], 1), Some(vec![654.0]));
        assert_eq!(matrices.times(&[1.0, 10.0, 100.0], 2), None);
        assert_eq!(matrices.times(&[1.0], 0), None);
    }

    #[test]
    fn broken_files_are_named() {
        let wrong = [
            (GOOD.to_owned(), 5),
            (GOOD.replace("<f4", "<f8"), 12),
            (GOOD.replace("False", "True"), 6),
            (GOOD.replace("2, 3, 1", "6,"), 6),
            (GOOD.replace("2, 3, 1", "2, 3, 99999999999999999999"), 6),
            (GOOD.replace("2, 3, 1", "2, 0, 1"), 0),
            (GOOD.replace("shape", "shade"), 6),
            (String::new(), 0),
        ];
        for (header, values) in wrong {
            let (_dir, path) = file(&header, &vec![0.0; values]);
            let error = Matrices::open(&path).unwrap_err();
            assert_eq!(error.kind(), millrace_contract::ErrorKind::ModelInvalid, "{header}");
            assert!(error.message().contains("a.npy"), "{error}");
        }
        let gone = Matrices::open(Path::new("nowhere.npy")).unwrap_err();
        assert_eq!(gone.kind(), millrace_contract::ErrorKind::ModelNotFound);
    }
}
