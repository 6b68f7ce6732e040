/* english.js - what the page says, in English; chinese.js has the same. */
(function (c) {
  'use strict';

  const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
  c.lang = 'en';
  c.words = {
    title: 'Community map', noLayer: (layer) => `There is no layer ${layer} here`, skipList: 'Skip to the list', skipMap: 'Skip to the map', synthetic: 'Synthetic data', syntheticTip: 'The city is made up; places and numbers are not real',
    other: '中文', matters: 'Services', activities: 'Activities', organisations: 'Organisations', tabs: 'What to find',
    search: 'What do you need to do?', searchTip: 'e.g. residence permit, vaccine, pension', often: 'Often asked for', all: 'All matters', clear: 'Any matter', near: 'Nothing of just that name. Did you mean:', noMatter: 'No such matter found. Try another word, or call 12345.',
    found: (n) => `${n} matters`, from: 'Where from', locate: 'My location', locating: 'Locating…', town: 'Town', village: 'Village', chooseTown: 'Choose a town', chooseVillage: 'Choose a village', pick: 'On the map', place: 'Or type a place', placeTip: 'Road, village, centre; pinyin will do', noPlace: 'No such place found. Try another spelling, or choose town and village.', pickHere: 'Start here', pickTip: 'Move the map until the cross is on your starting place', cancel: 'Cancel',
    mode: 'How', when: 'When', nowAt: (w) => `Now (${w})`, today: 'Today', tomorrow: 'Tomorrow', am: '10:00', pm: '15:00',
    myPlace: 'My location', picked: 'Place chosen on the map', around: 'Here', centreOf: (n) => `Middle of ${n}`,
    first: 'Choose a starting place to see what is nearest, whether it is open, and how to get there.', nearestTitle: 'Nearest service centres', nearestDo: (m) => `Where to: ${m}`, more: 'Show more', loading: 'Searching…', none: 'Nothing found nearby.', noneDo: (m) => `No place found for “${m}”. Please call 12345.`,
    within: (min, how, n) => `${n} within ${min} minutes ${how} (blue on the map)`, withinNone: (min, how, wanted) => `No service centre${wanted ? ' for this' : ''} within ${min} minutes ${how}`, circle: (min, how) => `${min} minutes ${how}`,
    openTill: (t) => `Open until ${t}`, openAll: 'Open all day', closed: 'Closed', closedTill: (t) => `Closed (opens ${t})`, breakTill: (t) => `Lunch break (opens ${t})`, notYet: (t) => `Not open yet (opens ${t})`, holiday: 'Public holiday: please call first', unknownHours: 'Opening hours unknown', daily: 'Daily',
    ways: (how, min) => `${min} min ${how}`, offRoad: 'The starting place is far from any road: straight distances only', straight: (m) => `${m} straight`, metres: (m) => `${m} m`, kilometres: (k) => `${k} km`,
    windows: (n) => `${n} counters`, terminals: (n) => `${n} self-service terminal${n === 1 ? '' : 's'}`, items: (n) => `What can be done here (${n})`, call: 'Call', callName: (n) => `Call ${n}`, route: 'Route', routeTo: (n) => `Route to ${n}`, amap: 'Amap', baidu: 'Baidu Maps', phoneMap: 'Phone\'s map', leaves: 'Opens another site or app', showOnMap: 'Map', showName: (n) => `Map: ${n}`,
    hotline: (n) => `Call the city hotline ${n}`,
    activitiesTitle: 'Coming activities', activitiesNear: 'Coming activities near you', organisationsTitle: 'Organisations nearby', places: (n) => `${n} places`, signUp: 'Sign up', signUpFor: (n) => `Sign up: ${n}`, where: (unit, host) => `${unit}${host ? ' (at the organiser\'s)' : ''}`, host: (n) => `By ${n}`, noActivities: 'No activities soon.', noOrganisations: 'No organisations nearby.', kinds: 'Kind', allKinds: 'All',
    map: 'Map', list: 'List', zoomIn: 'Zoom in', zoomOut: 'Zoom out', north: 'Move up', south: 'Move down', west: 'Move left', east: 'Move right', whole: 'Show all results', mapTip: 'The same places as in the list, by number', here: 'Starting place', noMap: 'The map did not open. The list has everything.',
    asOf: (t) => `Data as of ${t}`, clock: (t) => `Data clock ${t}`, offline: 'No connection to the server, trying again…', offlineSince: (t) => `No connection to the server, trying again. This is from ${t}.`, back: 'Connected again', failed: 'That did not work. Try again in a while, or call 12345.', noEntry: 'Not for you to see: use the public address', retry: 'Try again', locateNo: 'No location. Please choose town and village.', locateFar: 'You are outside the city. Please choose town and village.', private: 'Your location is only used to work out ways, and is not kept.', noData: 'There is no such data here.', full: 'Open the full map', open: 'open', results: (n) => `${n} places found`,
    change: 'Change', kind_volunteer: 'Volunteering', kind_charity: 'Charity', kind_elderly_care: 'Elderly care', kind_youth: 'Youth', kind_culture: 'Culture', kind_sports: 'Sports', kind_residents: 'Residents', kind_skills: 'Skills',
    days: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'], date: (d, day) => `${day} ${d.day} ${MONTHS[d.month - 1]}`,
  };
})(window.community);
