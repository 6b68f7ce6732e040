// png.mjs - PNG read back in tests: 4 and 8 bits of palette, and true colour.
import zlib from 'node:zlib';

function unfilter(raw, height, rowBytes, step) {
    const out = Buffer.alloc(height * rowBytes);
    for (let y = 0; y < height; y++) {
        const filter = raw[y * (rowBytes + 1)], at = y * rowBytes;
        for (let i = 0; i < rowBytes; i++) {
            const a = i >= step ? out[at + i - step] : 0, b = y ? out[at + i - rowBytes] : 0;
            const c = y && i >= step ? out[at + i - rowBytes - step] : 0;
            const p = a + b - c, pa = Math.abs(p - a), pb = Math.abs(p - b), pc = Math.abs(p - c);
            const guess = [0, a, b, (a + b) >> 1, pa <= pb && pa <= pc ? a : pb <= pc ? b : c][filter];
            out[at + i] = raw[y * (rowBytes + 1) + 1 + i] + guess;
        }
    }
    return out;
}

/** {width, height, colour, rgba}: rgba [height x width x 4]. */
export function decode(bytes) {
    if (bytes.subarray(0, 8).toString('latin1') !== '\x89PNG\r\n\x1a\n') throw new Error('not a PNG');
    const chunk = {}, idat = [];
    for (let at = 8; at < bytes.length;) {
        const len = bytes.readUInt32BE(at), type = bytes.toString('latin1', at + 4, at + 8);
        const data = bytes.subarray(at + 8, at + 8 + len);
        if (type === 'IDAT') idat.push(data);
        else chunk[type] = data;
        at += 12 + len;
    }
    const width = chunk.IHDR.readUInt32BE(0), height = chunk.IHDR.readUInt32BE(4);
    const depth = chunk.IHDR[8], colour = chunk.IHDR[9];
    const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[colour];
    const rowBytes = Math.ceil(width * channels * depth / 8);
    const pixels = unfilter(zlib.inflateSync(Buffer.concat(idat)), height, rowBytes, Math.max(1, channels * depth / 8));
    const rgba = Buffer.alloc(width * height * 4);
    for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++) {
            const to = (y * width + x) * 4, row = y * rowBytes;
            if (colour === 3) {
                const i = pixels[row + (x * depth >> 3)] >> (8 - depth - x * depth % 8) & ((1 << depth) - 1);
                chunk.PLTE.copy(rgba, to, 3 * i, 3 * i + 3);
                rgba[to + 3] = chunk.tRNS && i < chunk.tRNS.length ? chunk.tRNS[i] : 255;
            } else if (colour === 6) {
                pixels.copy(rgba, to, row + 4 * x, row + 4 * x + 4);
            } else {
                pixels.copy(rgba, to, row + channels * x, row + channels * x + 3);
                rgba[to + 3] = 255;
            }
        }
    return { width, height, colour, rgba };
}

/** How far the pixel at k is from that of the other, of 255, by what is seen of both. */
export const farness = (rgba, other, k) => Math.max(Math.abs(rgba[k + 3] - other[k + 3]), ...[0, 1, 2].map((c) => Math.abs(rgba[k + c] * rgba[k + 3] - other[k + c] * other[k + 3]) / 255));
