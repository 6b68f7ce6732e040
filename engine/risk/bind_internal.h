// bind_internal.h - binding a model before it is in a list of models.
#ifndef OM_ENGINE_RISK_BIND_INTERNAL_H
#define OM_ENGINE_RISK_BIND_INTERNAL_H

#include "engine/risk/bind.h"

/** om_risk_bind of one model (NULL: of the layer that `ask` names). */
om_status om__bind(const struct om_snapshot *snapshot,
                   const struct om_exposures *exposures,
                   const struct om_model *model, const struct om_risk_ask *ask,
                   struct om_risk_bound **out, const char **option,
                   struct om_err *err) OM_MUST_USE;

#endif
