//! Idefics3's tiles: the image scaled to whole tiles, cut row by row, and a view of all of it at the end.

use super::{Filter, Rect, Rgb, resample};

/// Tiles of one image and the grid they make.
pub(super) struct Tiles {
    /// Tiles, row by row, then the view of the whole.
    pub(super) tiles: Vec<Rgb>,
    /// Rows and columns, (0, 0) for an image that is not split.
    pub(super) grid: (usize, usize),
}

fn scaled(image: &Rgb, width: usize, height: usize, filter: Filter) -> Rgb {
    resample::resize(image, width, height, filter, Rect::whole(width, height))
}

#[expect(clippy::cast_precision_loss, reason = "sides of images are far below 2^52")]
fn aspect(width: usize, height: usize) -> f64 {
    width as f64 / height as f64
}

/// `length / ratio`, or `length * ratio`, without its fraction.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive and far below 2^52"
)]
fn times(length: usize, ratio: f64, divide: bool) -> usize {
    (if divide { length as f64 / ratio } else { length as f64 * ratio }) as usize
}

/// The size with the longest edge `edge`, both sides even.
pub(super) fn longest_edge(width: usize, height: usize, edge: usize) -> (usize, usize) {
    let ratio = aspect(width, height);
    let (width, height) =
        if width >= height { (edge, times(edge, ratio, true)) } else { (times(edge, ratio, false), edge) };
    (width.next_multiple_of(2).max(1), height.next_multiple_of(2).max(1))
}

/// The size in whole tiles of `side`, from the longer edge up.
fn whole_tiles(width: usize, height: usize, side: usize) -> (usize, usize) {
    let ratio = aspect(width, height);
    let up = |length: usize| length.next_multiple_of(side);
    if width >= height {
        let width = up(width);
        (width, up(times(width, ratio, true)))
    } else {
        let height = up(height);
        (up(times(height, ratio, false)), height)
    }
}

/// Splits into tiles of `side`. An image of at most one tile stays whole.
pub(super) fn tiles(image: &Rgb, side: usize, filter: Filter) -> Tiles {
    let (width, height) = whole_tiles(image.width(), image.height(), side);
    // A sliver whose shorter side comes to nothing still fills a tile.
    let (width, height) = (width.max(side), height.max(side));
    let image = scaled(image, width, height, filter);
    if width <= side && height <= side {
        return Tiles { tiles: vec![image], grid: (0, 0) };
    }
    let grid = (height / side, width / side);
    let cut = |row: usize, column: usize| {
        image.crop(Rect { x: column * side, y: row * side, width: side, height: side })
    };
    let mut tiles: Vec<Rgb> = (0..grid.0)
        .flat_map(|row| (0..grid.1).map(move |column| (row, column)))
        .map(|(r, c)| cut(r, c))
        .collect();
    tiles.push(scaled(&image, side, side, filter));
    Tiles { tiles, grid }
}

/// One square tile of `side`, whatever the aspect.
pub(super) fn square(image: &Rgb, side: usize, filter: Filter) -> Tiles {
    Tiles { tiles: vec![scaled(image, side, side, filter)], grid: (0, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_the_aspect_and_are_even() {
        assert_eq!(longest_edge(200, 150, 80), (80, 60));
        assert_eq!(longest_edge(97, 131, 80), (60, 80));
        assert_eq!(longest_edge(1000, 1, 80), (80, 1));
        assert_eq!(whole_tiles(80, 60, 32), (96, 96));
        assert_eq!(whole_tiles(30, 80, 32), (64, 96));
    }
}
