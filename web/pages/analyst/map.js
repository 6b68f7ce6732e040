// @ts-check
// map.js - the map, by whichever means the browser has: MapLibre where a
// graphics card draws, else pictures moved about by hand. Both are asked alike.

/**
 * @typedef {{zoom: number, lonDeg: number, latDeg: number}} View   zooms as MapLibre counts them: the world is 512 px wide at 0
 * @typedef {{lonDeg: number, latDeg: number}} Place
 * @typedef {{key: string, tiles: string, opacity: number, box: number[] | null, layers: string[], reachM: number, edge: number}} Sheet
 *   tiles: template with {z}/{x}/{y}, 512 px a tile; box: west, south, east, north, beyond which there is nothing to ask for;
 *   layers: whose changes it shows (none: everybody's), from reachM around and `edge` sides of a tile
 * @typedef {{line?: string, width?: number, dashed?: boolean, fill?: string, fillOpacity?: number}} Look   colours are custom properties: --choice
 *
 * @typedef {object} AnyMap
 * @property {Promise<any>} ready
 * @property {string} kind   gl or pictures
 * @property {() => View} view
 * @property {() => [number, number, number, number]} box   what is seen: west, south, east, north
 * @property {(to: View | {box: number[], most?: number, padding?: number}, ms?: number) => void} go
 * @property {(sheets: Sheet[]) => Promise<void>} show   lowest first; what stood before stands until the new is there
 * @property {(sheets: Sheet[]) => Promise<void>} prepare   loads what a show() of the same will need
 * @property {(name: string, features: any[] | null, look?: Look) => void} outline   shapes under a name, in GeoJSON; a feature may have its own fill
 * @property {(at: Place | null) => void} pin
 * @property {(lonDeg: number, latDeg: number) => {x: number, y: number}} project
 * @property {(x: number, y: number) => Place} unproject
 * @property {() => number} tileZoom   of the tiles that are shown
 * @property {(key: string) => Sheet | undefined} sheet   that is shown under a key
 * @property {(sheet: Sheet) => {z: number, x: number, y: number}[]} tilesSeen   of a sheet, now
 * @property {(key: string, pictures: Map<string, ImageBitmap | null>) => void} overdraw   these, by z/x/y, in the place of the sheet's own, which are not asked for meanwhile; the map closes them
 * @property {() => void} restOverdraw   the sheet's own may be asked for again; what was drawn over them stays
 * @property {() => void} endOverdraw   the sheet's own are shown
 * @property {(layer: string, touched: import('../live.js').Touched | null) => void} refresh   what a change reaches; null: all of it
 * @property {() => void} paint   the theme has changed
 * @property {() => void} resize
 * @property {(by: number) => void} zoomBy   levels
 * @property {(dx: number, dy: number) => void} panBy   pixels, to the right and down
 * @property {() => void} focus   its keys are heard
 * @property {() => void} remove
 *
 * @typedef {object} Handlers
 * @property {(view: View) => void} onMove   it has come to rest
 * @property {() => void} [onMoving]
 * @property {(place: Place, pinned: boolean) => void} onPoint
 * @property {(busy: boolean) => void} onBusy
 * @property {(key: string, status: number) => void} [onFault]   a tile was refused, or its server is gone (0)
 *
 * @typedef {{view: View | null, box: number[], say: (key: any, values?: any) => string, label: string}} How
 */

/** How far a key moves the map, pixels. */
const PAN_PX = 120;
const PANS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}, ZOOMS = {'+': 1, '=': 1, '-': -1, '_': -1};

/** Is it a key that moves a map? @param {string} key */
export const movesMap = (key) => Object.hasOwn(PANS, key) || Object.hasOwn(ZOOMS, key);
/** And one that other things have, too? @param {string} key */
export const isArrow = (key) => Object.hasOwn(PANS, key);

/** @param {{zoomBy: (by: number) => void, panBy: (dx: number, dy: number) => void}} map @param {string} key */
export function moveByKey(map, key) {
  if (isArrow(key)) map.panBy(PANS[key][0] * PAN_PX, PANS[key][1] * PAN_PX);
  else map.zoomBy(ZOOMS[key]);
}

const SOFTWARE = /swiftshader|llvmpipe|softpipe|basic render|software/i;

/** What the browser draws with: gl or pictures. @param {string} search of the page's address */
export function meansOf(search) {
  const asked = new URLSearchParams(search).get('map');
  if (asked === 'gl' || asked === 'pictures') return asked;
  try {
    const gl = document.createElement('canvas').getContext('webgl2');
    if (!gl) return 'pictures';
    const info = gl.getExtension('WEBGL_debug_renderer_info');
    const by = String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
    gl.getExtension('WEBGL_lose_context')?.loseContext();
    return SOFTWARE.test(by) ? 'pictures' : 'gl';
  } catch {
    return 'pictures';
  }
}

/**
 * @param {string} means @param {HTMLElement} container @param {How} how @param {Handlers} handlers
 * @returns {Promise<AnyMap>}
 */
export async function openMap(means, container, how, handlers) {
  if (means === 'gl')
    try {
      const {GlMap} = await import('./map_gl.js');
      const map = new GlMap(container, how, handlers);
      await map.ready;
      return map;
    } catch (error) {
      console.warn(error);
      container.replaceChildren();
    }
  const {PictureMap} = await import('./map_pictures.js');
  return new PictureMap(container, how, handlers);
}

/** Value of a custom property. @param {string} name */
export const token = (name) => name.startsWith('--') ? getComputedStyle(document.documentElement).getPropertyValue(name).trim() : name;

/** Pixels of the screen that a pixel of the page has, where all of it is enlarged (analyst.css), too. */
export const pixelRatio = () => devicePixelRatio * (/** @type {any} */ (document.body).currentCSSZoom ?? 1);

/** Where something happened within a container, in its own pixels. @param {HTMLElement} container @param {{clientX: number, clientY: number}} e */
export function pointIn(container, e) {
  const box = container.getBoundingClientRect(), scale = container.offsetWidth / box.width || 1;
  return {x: (e.clientX - box.left) * scale, y: (e.clientY - box.top) * scale};
}
