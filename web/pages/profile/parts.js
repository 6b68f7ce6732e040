// @ts-check
// parts.js - small pieces that the panes share: cells of what is known, files
// made here, addresses to copy.

import {element} from '../dom.js';

/** @typedef {{say: (key: any, values?: any) => string, write: any}} Speech   words.js, and how numbers are written */

/** A cell of a table: hidden, zero, unknown and not connected look different. @param {Speech} speech @param {import('./numbers.js').Known} cell @returns {Node} */
export function knownCell({say, write}, cell) {
  if (cell.known === 'number') return element('span', {}, write.exact(cell.value));
  const [text, key] = {hidden: ['·', 'hidden'], unknown: ['?', 'unknown_cell'], awaited: [say('awaited'), 'awaited']}[cell.known];
  return element('span', {className: `cell-${cell.known}`, title: say(key), ...(cell.known !== 'awaited' && {role: 'img', ariaLabel: say(key)})}, text);
}

/** A share of 0 to 1. @param {number | null} share */
export function percent(share) {
  if (share === null || !Number.isFinite(share)) return '?';
  const p = share * 100;
  return p > 0 && p < 0.05 ? '<0.1%' : `${p.toFixed(1)}%`;
}

/** In words, with its sign before it; or the sign alone, with the words for who asks or listens. @param {Speech} speech @param {string} verdict @param {boolean} [short] */
export const verdictCell = ({say}, verdict, short = false) => element('span', {className: short ? 'verdict short' : 'verdict', 'data-verdict': verdict, title: say(/** @type {any} */ (verdict))},
  short ? element('span', {className: 'hidden'}, say(/** @type {any} */ (verdict))) : say(/** @type {any} */ (verdict)));

/** A file made in the page. @param {string} name @param {BlobPart} content @param {string} type */
export function saveFile(name, content, type) {
  const url = URL.createObjectURL(new Blob([content], {type}));
  const link = element('a', {href: url, download: name});
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** @param {string} name @param {string} text */
export const saveCsv = (name, text) => saveFile(name, text, 'text/csv;charset=utf-8');

/** A button that copies; what it says is told to screen readers, too. @param {Speech} speech @param {string} label @param {() => string} text @param {HTMLInputElement} [field] to be marked where copying is refused */
export function copyButton({say}, label, text, field) {
  const button = element('button', {type: 'button', ariaLive: 'polite', onclick: async () => {
    try {
      await navigator.clipboard.writeText(text());
      button.textContent = say('copied');
    } catch {
      field?.select();
      button.textContent = say('copy_failed');
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  }}, label);
  return button;
}

/** An address in a field, to be copied. @param {Speech} speech @param {string} label @param {string} address */
export function addressRow(speech, label, address) {
  const field = element('input', {type: 'text', readOnly: true, value: address, ariaLabel: label});
  return element('div', {className: 'address'}, element('span', {}, label), field, copyButton(speech, speech.say('copy'), () => address, field));
}

/** A choice among few. @param {string} label @param {[string, string][]} options value, text @param {string} value @param {(value: string) => void} onChoose */
export function choice(label, options, value, onChoose) {
  const box = element('select', {ariaLabel: label, onchange: () => onChoose(box.value)}, ...options.map(([v, text]) => element('option', {value: v}, text)));
  box.value = options.some(([v]) => v === value) ? value : options[0]?.[0] ?? '';
  return element('label', {}, label, box);
}

/** What rates may be for each of. @param {Speech} speech @param {{exposures: Record<string, any>}} city @param {string} lang @returns {[string, string][]} */
export const perOptions = ({say}, city, lang) => [['', say('no_rate')], ...Object.entries(city.exposures).map(([id, e]) => /** @type {[string, string]} */ ([id, (lang === 'en' ? e.unit_en : e.unit) ?? id]))];

/** What is said of a failed question. @param {Speech} speech @param {any} error @param {() => void} again */
export function failure({say}, error, again) {
  return element('p', {className: 'error', role: 'alert'}, say('failed', {why: error instanceof TypeError ? say('no_server') : error.message}), ' ',
    element('button', {type: 'button', className: 'plain', onclick: again}, say('again')));
}
