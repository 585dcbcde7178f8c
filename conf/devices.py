"""Which devices' events a function takes."""

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from conf.expressions import Expression, compile_rule
from conf.types import Items, Section, Text, as_text


class DeviceAttr(Section):
    """One condition: `<attrValue> <attrExpression>`, the value being text."""

    attr_name: Text | None = Field(default=None, alias="attrName", description="label of the condition")
    attr_value: Annotated[str, BeforeValidator(as_text, json_schema_input_type=str | int)] = Field(
        alias="attrValue", description="text that the expression goes on from"
    )
    attr_expression: Text = Field(
        alias="attrExpression", description="comparison with the event, such as `== data_to_dict['a']['b']`"
    )

    @field_validator("attr_expression")
    @classmethod
    def check_expression(cls, text: str, info: ValidationInfo) -> str:
        """It is an expression of the language, and no other code."""
        if "attr_value" in info.data:
            compile_rule(info.data["attr_value"], text)
        return text

    def compile(self) -> Expression:
        """The condition as something to ask of events."""
        return compile_rule(self.attr_value, self.attr_expression)


class Device(Section):
    """A device; all its attributes must hold, and without any its name decides."""

    device_name: Text | None = Field(
        default=None, alias="deviceName", description="the device's name; required without attributes"
    )
    device_attr: Items[DeviceAttr] = Field(
        default=(), alias="deviceAttr", description="conditions that must all hold; absent: the name decides"
    )

    @model_validator(mode="after")
    def check_name(self) -> "Device":
        """Something tells the device from others."""
        if self.device_name is None and not self.device_attr:
            raise ValueError("has neither `deviceName` nor `deviceAttr`")
        return self
