//! The texts and token ids that the two models put around queries and images.

/// ColPali's text of a query.
pub(super) fn colpali_query(text: &str) -> String {
    let mut query = String::with_capacity(text.len() + 64);
    query.push_str("<s>Query: ");
    query.push_str(text);
    for _ in 0..QUERY_AUGMENTATION {
        query.push_str("<pad>");
    }
    query.push('\n');
    query
}

/// The first two ids of a ColPali query, whatever the tokenizer made of its first two tokens.
pub(super) const COLPALI_MARKER: [u32; 2] = [2, 5098];

/// Image tokens of a ColPali prompt: 32 x 32 patches.
pub(super) const COLPALI_IMAGE_TOKENS: usize = 1024;

/// ColPali's image token.
const COLPALI_IMAGE: u32 = 257_152;

/// "Describe the image." with its beginning and end, in ColPali's vocabulary.
const COLPALI_DESCRIBE: [u32; 6] = [2, 50_721, 573, 2_416, 235_265, 108];

/// The ids of ColPali's prompt for an image.
pub(super) fn colpali_image() -> Box<[u32]> {
    let mut ids = vec![COLPALI_IMAGE; COLPALI_IMAGE_TOKENS];
    ids.extend(COLPALI_DESCRIBE);
    ids.into()
}

/// Tokens that both models append to a query, for the model to say more about it.
const QUERY_AUGMENTATION: usize = 10;

/// ColModernVBERT's text of a query.
pub(super) fn modernvbert_query(text: &str) -> String {
    [text, &"<end_of_utterance>".repeat(QUERY_AUGMENTATION)].concat()
}

/// ColModernVBERT's text of an image: `grid` are the rows and columns of its tiles, (0, 0) for one that is not split.
/// Every tile takes `tokens` image tokens.
pub(super) fn modernvbert_image(grid: (usize, usize), tokens: usize) -> String {
    let image = "<image>".repeat(tokens);
    let mut prompt = String::from("<|begin_of_text|>User:");
    for row in 1..=grid.0 {
        for column in 1..=grid.1 {
            prompt.extend(["<fake_token_around_image>", &format!("<row_{row}_col_{column}>"), &image]);
        }
        prompt.push('\n');
    }
    if grid != (0, 0) {
        prompt.push('\n');
    }
    prompt.push_str("<fake_token_around_image><global-img>");
    prompt.push_str(&image);
    prompt.push_str("<fake_token_around_image>Describe the image.<end_of_utterance>\nAssistant:");
    prompt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_name_every_tile() {
        let prompt = modernvbert_image((2, 3), 4);
        assert_eq!(prompt.matches("<image>").count(), 7 * 4);
        assert_eq!(prompt.matches("<row_2_col_3>").count(), 1);
        assert!(prompt.contains("\n\n<fake_token_around_image><global-img>"));
        assert!(!modernvbert_image((0, 0), 4).contains("<row_"));
    }
}
