/* chinese.js - what the page says, in Chinese; english.js has the same. */
(function (c) {
  'use strict';

  c.lang = 'zh';
  c.words = {
    title: '社区地图', noLayer: (layer) => `这里没有图层 ${layer}`, skipList: '跳到列表', skipMap: '跳到地图', synthetic: '合成数据', syntheticTip: '城市是虚构的,地点和电话都不是真的',
    other: 'English', matters: '办事', activities: '活动', organisations: '组织', tabs: '找什么',
    search: '我要办什么', searchTip: '例如:居住证、医保报销、高龄津贴', often: '常办', all: '全部事项', clear: '不限事项', near: '没有完全对上的。您要找的是不是:', noMatter: '没有找到这样的事项。换个说法试试,或拨打 12345。',
    found: (n) => `${n} 个事项`, from: '从哪里出发', locate: '我的位置', locating: '正在定位…', town: '镇街', village: '村(社区)', chooseTown: '选镇街', chooseVillage: '选村(社区)', pick: '在地图上选', place: '或者输入地名', placeTip: '路名、村(社区)、服务中心', noPlace: '没有找到这个地方。换个写法,或选镇街和村(社区)。', pickHere: '就从这里出发', pickTip: '移动地图,让十字对准出发地', cancel: '取消',
    mode: '怎么去', when: '什么时候去', nowAt: (w) => `现在(${w})`, today: '今天', tomorrow: '明天', am: '上午 10:00', pm: '下午 15:00',
    myPlace: '我的位置', picked: '地图上选的地方', around: '此处', centreOf: (n) => `${n}中心`,
    first: '选一个出发地,就能看到最近的地方、开没开门、怎么去。', nearestTitle: '最近的服务中心', nearestDo: (m) => `能办“${m}”的服务中心`, more: '再看几个', loading: '正在查找…', none: '附近没有找到。', noneDo: (m) => `没有找到能办“${m}”的地方。请拨打 12345 咨询。`,
    within: (min, how, n) => `${how}${min}分钟内有 ${n} 个(图上的蓝色范围)`, withinNone: (min, how, wanted) => `${how}${min}分钟内没有${wanted ? '能办的' : ''}服务中心`, circle: (min, how) => `${how}${min}分钟服务圈`,
    openTill: (t) => `开放至 ${t}`, openAll: '全天开放', closed: '已关门', closedTill: (t) => `已关门(${t}开)`, breakTill: (t) => `午休(${t}开)`, notYet: (t) => `未开门(${t}开)`, holiday: '今天是节假日,去之前请先打电话', unknownHours: '开放时间未知', daily: '每天',
    ways: (how, min) => `${how} ${min} 分钟`, offRoad: '出发地离道路较远,只能给出直线距离', straight: (m) => `直线 ${m}`, metres: (m) => `${m} 米`, kilometres: (k) => `${k} 公里`,
    windows: (n) => `${n} 个办事窗口`, terminals: (n) => `${n} 台自助机`, items: (n) => `能办的事(${n} 项)`, call: '电话', callName: (n) => `电话:${n}`, route: '路线', routeTo: (n) => `路线:${n}`, amap: '高德地图', baidu: '百度地图', phoneMap: '手机地图', leaves: '将打开其他网站或应用', showOnMap: '看地图', showName: (n) => `看地图:${n}`,
    hotline: (n) => `拨打 ${n} 政务热线`,
    activitiesTitle: '接下来的活动', activitiesNear: '您附近接下来的活动', organisationsTitle: '附近的社会组织', places: (n) => `名额 ${n}`, signUp: '报名', signUpFor: (n) => `报名:${n}`, where: (unit, host) => `地点:${unit}${host ? '(主办方处)' : ''}`, host: (n) => `主办:${n}`, noActivities: '近期没有活动。', noOrganisations: '附近没有社会组织。', kinds: '类别', allKinds: '全部',
    map: '地图', list: '列表', zoomIn: '放大', zoomOut: '缩小', north: '向上移', south: '向下移', west: '向左移', east: '向右移', whole: '看全部结果', mapTip: '与列表相同的地方,用数字标出', here: '出发地', noMap: '地图没有打开。列表里的内容是全的。',
    asOf: (t) => `数据截至 ${t}`, clock: (t) => `数据时钟 ${t}`, offline: '连不上服务器,正在重试…', offlineSince: (t) => `连不上服务器,正在重试。下面是 ${t} 的内容。`, back: '已重新连上', failed: '没有查到。请过一会儿再试,或拨打 12345。', noEntry: '没有权限,请从公开网址打开', retry: '再试一次', locateNo: '没有得到位置。请选镇街和村(社区)。', locateFar: '您不在本市范围内。请选镇街和村(社区)。', private: '您的位置只用来算路程,不保存。', noData: '这里没有这类数据。', full: '打开完整地图', open: '开着', results: (n) => `找到 ${n} 个地方`,
    change: '更改', kind_volunteer: '志愿服务', kind_charity: '慈善互助', kind_elderly_care: '养老', kind_youth: '青年', kind_culture: '文化', kind_sports: '体育健身', kind_residents: '居民议事', kind_skills: '技能培训',
    days: ['周日', '周一', '周二', '周三', '周四', '周五', '周六'], date: (d, day) => `${d.month}月${d.day}日 ${day}`,
  };
})(window.community);
