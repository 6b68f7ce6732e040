// @ts-check
// dates.js - a box for a date, written the same whatever the browser speaks
// (2023-06-26), with the browser's own calendar behind a button.

import {element} from './dom.js';
import {dateOf, isDate} from './text.js';

/**
 * @param {{label: string, choose: string, form: string, id?: string, onchange: () => void}} how choose: what the button says; form: how a date is written, where there is none
 * @returns {{box: HTMLElement, input: HTMLInputElement}} input.value: YYYY-MM-DD, '' or what was typed and is no date
 */
export function dateBox({label, choose, form, id, onchange}) {
  const input = element('input', {type: 'text', className: 'date', ...id && {id}, ariaLabel: label, placeholder: form, maxLength: 14, autocomplete: 'off', spellcheck: false});
  const picker = element('input', {type: 'date', tabIndex: -1, ariaHidden: 'true', className: 'picker'});
  input.onchange = () => {
    input.value = dateOf(input.value) ?? input.value.trim();
    onchange();
  };
  // One that is whole needs no further key.
  input.oninput = () => { if (isDate(input.value)) onchange(); };
  picker.onchange = () => {
    if (!picker.value) return;
    input.value = picker.value;
    onchange();
  };
  const button = element('button', {type: 'button', className: 'plain icon calendar', title: choose, ariaLabel: `${label}: ${choose}`, onclick: () => {
    picker.value = dateOf(input.value) ?? '';
    try {
      picker.showPicker();
    } catch {
      input.focus();
    }
  }});
  return {box: element('span', {className: 'date-box'}, input, picker, button), input};
}
