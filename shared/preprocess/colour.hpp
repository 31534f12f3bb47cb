// Grey and histogram equalisation, in place, in integers.
#pragma once

#include "shared/preprocess/image.hpp"

namespace ouaf {

// Every pixel's luma (ITU-R BT.601, as Pillow's "L") in all three channels.
void to_grey(Image& image);

// Equalises the histogram of the luma and leaves the chroma as it is: each channel moves by what the luma moves, which
// is what replacing Y in YCbCr does. The mapping is OpenCV's equalizeHist; a picture of one luma stays as it is.
void equalise(Image& image);

}  // namespace ouaf
