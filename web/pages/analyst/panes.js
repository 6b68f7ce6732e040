// @ts-check
// panes.js - the parts of the page, and how one more is added.
//
// A pane is an object in a module of its own and a line in PANES below:
//
//   export const tablePane = {
//     id: 'table',                  also the value of pane= in the address
//     side: 'result',               result (a tab at the right), query (a fold at the left) or period (below)
//     title: (say) => say('table'), words are in words.js
//     key: 'b',                     optional: the key that opens it (and calls act())
//     mount(container, context) {   once; container is empty and the pane's own
//       ...
//       return {
//         change(now, changed) {},  the state has changed: a set of names of FIELDS (state.js)
//         show() {}, hide() {},     it is opened or closed (result); a closed one should ask nothing
//         act() {},                 its key was pressed
//         problem(error) {},        a question was refused; true: shown, nobody else needs to say so
//       };
//     },
//   };
//
// Everything that a pane needs is in the context. What it wants to keep it puts
// into the state (one line of FIELDS in state.js), never anywhere else; it hears
// of it again by change(), whoever wrote it: keys, links, other panes.

import {exportPane} from '../profile/exports.js';
import {profilePane} from '../profile/profile.js';
import {comparePane} from './compare.js';
import {filterPane} from './filter.js';
import {layersPane} from './layers.js';
import {periodPane} from './period.js';
import {tablePane} from './table.js';
import {whyPane} from './why.js';

/**
 * @typedef {object} Context
 * @property {import('./state.js').Store} state   now, update(patch), subscribe(hear)
 * @property {import('./shown.js').City} city     layers, levels, models, exposures
 * @property {import('./words.js').Language} lang
 * @property {(key: any, values?: Record<string, any>) => string} say
 * @property {(key: any, values?: Record<string, any>) => string} told   words that profile, table and export share (profile/words.js)
 * @property {ReturnType<typeof import('./words.js').writing>} write   numbers, dates, titles
 * @property {() => 'dark' | 'light'} palette
 * @property {() => import('../api.js').Layer | undefined} subject   the layer that is asked about
 * @property {(act: (map: import('./map.js').AnyMap) => void) => void} withMap   now, or when the map is there: go, outline, project, ...
 * @property {(path: string, signal?: AbortSignal) => Promise<any>} get   JSON of the server; throws ProblemError
 * @property {(name: string, work: (signal: AbortSignal) => Promise<void>) => Promise<void>} ask
 *   of questions with a name only the last one's answer counts; what goes wrong is shown
 * @property {(name: string) => void} drop   nobody wants the answer to that question any more
 * @property {(id: string, fly?: boolean) => void} choose   a unit of the level that is shown; '' none. On map, in tables, in the address
 * @property {() => string} level   of the units that tables and choices are of
 * @property {(id: string) => void} open   a pane
 * @property {(days: number) => string} lastDays   of the data, as FROM/TO
 * @property {(patch: Partial<import('./state.js').State>) => Promise<any>} prepare   load the tiles that the state patched so will need
 * @property {(place: import('./map.js').Place | null, units: Record<string, any>, signal: AbortSignal) => Promise<any>} answerAt   what the uppermost analysis says there, or of units alone
 * @property {(side?: string) => {sheets: any[], legends: any[], shapes: any[], opacity: number}} drawn   all that is on the map, for a picture of it; B: on the other side
 * @property {import('./steps.js').Steps} steps   a period that is moved, drawn in the page
 * @property {(part: import('./shown.js').Part) => string} nameOf   what is drawn, in words
 * @property {(on: boolean) => void} hold   while a period is played, panes but its own hear of no new period
 * @property {(on: boolean) => void} moving   a period is moved, and numbers beside the map are not of it; false: it rests
 * @property {(error: any) => string} textOf   an error in words
 * @property {(text: string) => void} announce   to who listens instead of looking
 * @property {(hear: (layer: string | null) => void) => void} onNews   rows of a layer have changed (null: anything)
 */

export const PANES = [layersPane, filterPane, periodPane, tablePane, profilePane, whyPane, comparePane, exportPane];
