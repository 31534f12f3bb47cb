// WebP through libwebp: lossy and lossless; of an animation the first frame; transparent parts over white.
#include <webp/decode.h>
#include <webp/demux.h>

#include <algorithm>
#include <memory>
#include <new>
#include <vector>

#include "shared/preprocess/decoders.hpp"
#include "shared/preprocess/exif.hpp"
#include "shared/preprocess/photo_error.hpp"

namespace ouaf {
namespace {

[[noreturn]] void fail(VP8StatusCode status) {
    if (status == VP8_STATUS_OUT_OF_MEMORY) throw std::bad_alloc();
    if (status == VP8_STATUS_NOT_ENOUGH_DATA || status == VP8_STATUS_SUSPENDED) {
        throw PhotoError(PhotoErrorKind::truncated,
                         "This WebP picture is incomplete: the file ends too early. Copy or download it again.");
    }
    throw PhotoError(PhotoErrorKind::damaged, "This WebP picture is damaged. Copy or download it again.");
}

int stored_orientation(WebPDemuxer* demuxer) {
    WebPChunkIterator chunk{};
    int orientation = 1;
    if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
        orientation = exif_orientation(Bytes(chunk.chunk.bytes, chunk.chunk.size));
    }
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

}  // namespace

StoredImage decode_webp(Bytes bytes) {
    WebPBitstreamFeatures features{};
    if (const auto status = WebPGetFeatures(bytes.data(), bytes.size(), &features); status != VP8_STATUS_OK)
        fail(status);
    check_size(features.width, features.height);

    const WebPData data{bytes.data(), bytes.size()};
    const std::unique_ptr<WebPDemuxer, decltype(&WebPDemuxDelete)> demuxer(WebPDemux(&data), WebPDemuxDelete);
    if (!demuxer) {
        WebPDemuxState state = WEBP_DEMUX_PARSE_ERROR;
        WebPDemuxDelete(WebPDemuxPartial(&data, &state));
        fail(state == WEBP_DEMUX_PARSE_ERROR ? VP8_STATUS_BITSTREAM_ERROR : VP8_STATUS_NOT_ENOUGH_DATA);
    }

    WebPIterator frame{};
    const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(&frame, WebPDemuxReleaseIterator);
    if (WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) fail(VP8_STATUS_BITSTREAM_ERROR);
    if (frame.complete == 0) fail(VP8_STATUS_NOT_ENOUGH_DATA);
    check_size(frame.width, frame.height);
    if (frame.x_offset < 0 || frame.y_offset < 0 || frame.width > features.width - frame.x_offset ||
        frame.height > features.height - frame.y_offset) {
        fail(VP8_STATUS_BITSTREAM_ERROR);
    }

    const int stride = frame.width * 4;
    std::vector<std::uint8_t> four(static_cast<std::size_t>(stride) * static_cast<std::size_t>(frame.height));
    WebPDecoderConfig config{};
    WebPInitDecoderConfig(&config);
    config.output.colorspace = MODE_RGBA;
    config.output.is_external_memory = 1;
    config.output.u.RGBA = {four.data(), stride, four.size()};
    if (const auto status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config); status != VP8_STATUS_OK) {
        fail(status);
    }

    StoredImage stored{Image(features.width, features.height), features.width, features.height,
                       stored_orientation(demuxer.get())};
    std::fill(stored.image.rgb.begin(), stored.image.rgb.end(), std::uint8_t{255});
    for (int y = 0; y < frame.height; ++y) {
        const std::uint8_t* in = four.data() + static_cast<std::ptrdiff_t>(y) * stride;
        std::uint8_t* out = stored.image.row(frame.y_offset + y) + static_cast<std::ptrdiff_t>(frame.x_offset) * 3;
        for (int x = 0; x < frame.width; ++x, in += 4, out += 3) {
            for (int c = 0; c < 3; ++c) out[c] = over_white(in[c], in[3]);
        }
    }
    return stored;
}

}  // namespace ouaf
