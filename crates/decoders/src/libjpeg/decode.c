/*
 * The whole of a JPEG's decoding in one call, so that libjpeg's errors, which are long jumps, never cross a frame of
 * another language. Nothing is printed, and what libjpeg only warns of is an error where pixels are missing.
 */
#include <limits.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* libjpeg's JMSG_LENGTH_MAX; the Rust side has the same number. */
#define MESSAGE_LENGTH 200

/* What the markers before the first scan say. */
typedef struct {
  uint32_t width;
  uint32_t height;
  /* Components of the file, and values of a decoded pixel: 1 gray, 3 RGB, 4 CMYK. */
  uint32_t components;
  uint32_t channels;
  /* Whether the components are taken for luma and chroma, and become RGB. */
  uint32_t from_ycbcr;
  /* Blocks of 8 x 8 values of all components, and whether each takes a bit of the file at the least. */
  uint64_t blocks;
  uint32_t huffman;
  /* Bytes of coefficients that are held until the last scan is read; 0 where rows are decoded as they come. */
  uint64_t coefficients;
} millrace_jpeg_header;

typedef struct {
  struct jpeg_error_mgr base;
  jmp_buf end;
  char *message;
} error_manager;

/* What the components mean; the numbers of the Rust side. */
enum { COLORS_TOLD_BY_FILE = 0, COLORS_FROM_YCBCR = 1, COLORS_AS_STORED = 2 };

/* A limit on the scans of a progressive file, set by the caller of millrace_jpeg_decode. */
typedef struct {
  struct jpeg_progress_mgr base;
  int most_scans;
} scan_limit;

static void end_with_message(j_common_ptr common) {
  error_manager *errors = (error_manager *)common->err;
  (*common->err->format_message)(common, errors->message);
  longjmp(errors->end, 1);
}

static void print_nothing(j_common_ptr common) { (void)common; }

/*
 * libjpeg fills up with gray, or with zeros of frequency, what these warnings are about. Other warnings are about
 * versions, colour spaces and stray bytes, and every pixel is there.
 */
static int pixels_are_missing(int code) {
  return code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE ||
         code == JWRN_JPEG_EOF || code == JWRN_MUST_RESYNC;
}

static void judge_warning(j_common_ptr common, int level) {
  if (level >= 0) return;
  /* Every sequence of bits is a valid arithmetic code: damage shows only by what is left when the blocks are full. */
  int arithmetic = common->is_decompressor && ((j_decompress_ptr)common)->arith_code;
  int left_over = common->err->msg_code == JWRN_EXTRANEOUS_DATA && arithmetic;
  if (left_over || pixels_are_missing(common->err->msg_code)) end_with_message(common);
}

static void count_scans(j_common_ptr common) {
  scan_limit *limit = (scan_limit *)common->progress;
  if (!common->is_decompressor) return;
  if (((j_decompress_ptr)common)->input_scan_number > limit->most_scans) {
    error_manager *errors = (error_manager *)common->err;
    snprintf(errors->message, MESSAGE_LENGTH, "it has more than %d scans", limit->most_scans);
    longjmp(errors->end, 1);
  }
}

static void set_up(j_decompress_ptr jpeg, error_manager *errors, char *message) {
  memset(jpeg, 0, sizeof *jpeg);
  jpeg->err = jpeg_std_error(&errors->base);
  errors->base.error_exit = end_with_message;
  errors->base.output_message = print_nothing;
  errors->base.emit_message = judge_warning;
  errors->message = message;
}

/* Reads up to the first scan and chooses the colours of the output. */
static void read_header(j_decompress_ptr jpeg, const uint8_t *bytes, size_t length, uint32_t colors) {
  jpeg_create_decompress(jpeg);
  jpeg_mem_src(jpeg, bytes, (unsigned long)length);
  jpeg_read_header(jpeg, TRUE);
  switch (jpeg->num_components) {
    case 1: jpeg->out_color_space = JCS_GRAYSCALE; break;
    case 4: jpeg->out_color_space = JCS_CMYK; break;
    default: jpeg->out_color_space = JCS_RGB;
  }
  if (colors == COLORS_FROM_YCBCR) {
    jpeg->jpeg_color_space = JCS_YCbCr;
    jpeg->out_color_space = JCS_RGB;
  } else if (colors == COLORS_AS_STORED) {
    jpeg->jpeg_color_space = JCS_UNKNOWN;
    jpeg->out_color_space = JCS_UNKNOWN;
  }
  /* The slow integer transform and interpolated chroma are what Pillow takes; they are the defaults, said again. */
  jpeg->dct_method = JDCT_ISLOW;
  jpeg->do_fancy_upsampling = TRUE;
}

int millrace_jpeg_read_header(const uint8_t *bytes, size_t length, uint32_t colors, millrace_jpeg_header *header,
                              char *message) {
  struct jpeg_decompress_struct jpeg;
  error_manager errors;
  /* Declared here: the old compiler of published builds knows no declarations in loops. */
  int at;
  set_up(&jpeg, &errors, message);
  if (setjmp(errors.end)) {
    jpeg_destroy_decompress(&jpeg);
    return 0;
  }
  read_header(&jpeg, bytes, length, colors);
  header->width = jpeg.image_width;
  header->height = jpeg.image_height;
  header->components = (uint32_t)jpeg.num_components;
  header->channels = jpeg.out_color_space == JCS_RGB ? 3 : (uint32_t)jpeg.num_components;
  header->from_ycbcr = jpeg.jpeg_color_space == JCS_YCbCr && jpeg.out_color_space == JCS_RGB;
  header->huffman = !jpeg.arith_code;
  header->blocks = 0;
  for (at = 0; at < jpeg.num_components; at++) {
    const jpeg_component_info *component = &jpeg.comp_info[at];
    header->blocks += (uint64_t)component->width_in_blocks * component->height_in_blocks;
  }
  header->coefficients = jpeg_has_multiple_scans(&jpeg) ? header->blocks * sizeof(JBLOCK) : 0;
  jpeg_destroy_decompress(&jpeg);
  return 1;
}

/* Decodes all rows into `rows`, `stride` bytes each, of which there are `height`. */
int millrace_jpeg_decode(const uint8_t *bytes, size_t length, uint32_t colors, uint8_t *rows, size_t stride,
                         uint32_t height, uint64_t most_memory, uint32_t most_scans, char *message) {
  struct jpeg_decompress_struct jpeg;
  error_manager errors;
  scan_limit limit;
  set_up(&jpeg, &errors, message);
  if (setjmp(errors.end)) {
    jpeg_destroy_decompress(&jpeg);
    return 0;
  }
  read_header(&jpeg, bytes, length, colors);
  memset(&limit, 0, sizeof limit);
  limit.base.progress_monitor = count_scans;
  limit.most_scans = (int)most_scans;
  jpeg.progress = &limit.base;
  jpeg.mem->max_memory_to_use = most_memory > (uint64_t)LONG_MAX ? LONG_MAX : (long)most_memory;
  jpeg_start_decompress(&jpeg);
  /* The caller's buffer is of the size that the same bytes gave before; a row beyond it would be a defect here. */
  if (jpeg.output_height != height || (size_t)jpeg.output_width * (size_t)jpeg.output_components != stride) {
    snprintf(message, MESSAGE_LENGTH, "its size changed between two readings");
    longjmp(errors.end, 1);
  }
  while (jpeg.output_scanline < height) {
    JSAMPROW row = rows + (size_t)jpeg.output_scanline * stride;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  /* Reads on to the end marker, whose absence is an error. */
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return 1;
}
